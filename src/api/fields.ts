import * as z from 'zod';

/** Field shapes that several kinds share, so that a name, a bound and a sentence are written once. */

/** A Go duration, as Kubernetes users write it: `30s`, `1h30m`. Parse with `durationMs`. */
export function duration(description: string) {
  return z
    .string()
    .max(32)
    .regex(/^([0-9]{1,7}(\.[0-9]{1,9})?(h|m|s|ms|us|µs|ns))+$/, 'must be a Go duration such as 30s or 1h30m')
    .describe(description);
}

/** The name of an object in the same namespace. */
export function objectName(description: string) {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a DNS subdomain name')
    .describe(description);
}

/** One key of a Secret in the same namespace. */
export function secretKeyRef(description: string) {
  return z
    .object({
      name: objectName('Name of the Secret.'),
      key: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[-._a-zA-Z0-9]+$/)
        .describe('Key in the Secret.'),
    })
    .describe(description);
}

/** A whole Secret in the same namespace. */
export function secretRef(description: string) {
  return z.object({ name: objectName('Name of the Secret.') }).describe(description);
}

/** Which Temporal to talk to. */
export const ConnectionRef = z
  .object({
    kind: z
      .enum(['TemporalConnection', 'ClusterTemporalConnection'])
      .default('TemporalConnection')
      .describe('Kind of the connection: of this namespace, or of the cluster.'),
    name: objectName('Name of the connection.'),
  })
  .describe('The connection to Temporal; the TemporalConnection `default` of this namespace unless given.');
export type ConnectionRef = z.output<typeof ConnectionRef>;

/** The connection that is meant where none is named. */
export const defaultConnectionRef: ConnectionRef = { kind: 'TemporalConnection', name: 'default' };

/** Name of a Temporal task queue. */
export const taskQueueName = z.string().min(1).max(1000).describe('Temporal task queue.');

/** Status defaults to this, so that kstatus (Helm, Flux) sees a fresh resource as in progress until the operator has looked. */
export const neverObserved = { observedGeneration: -1 };

/** The spec generation a status speaks of. */
export const observedGeneration = z
  .int()
  .min(-1)
  .describe('The spec generation this status speaks of; -1 before the operator has looked.');

/** Makes a field of `spec` immutable, adding and removing it included (a leaf rule would fire on neither). */
export function immutable(field: string) {
  const name = field === 'namespace' ? '__namespace__' : field;
  return {
    rule: `has(self.${name}) == has(oldSelf.${name}) && (!has(self.${name}) || self.${name} == oldSelf.${name})`,
    message: `${field} cannot change; delete the resource and create it anew`,
    fieldPath: `.${field}`,
    reason: 'FieldValueForbidden' as const,
  };
}
