import type * as z from 'zod';
import type { KubeObject, ResourceDefinition, ResourceOf } from './resource.ts';

/** A resource as the operator works with it; `problem` says why its spec cannot be used, and then nothing else of the spec may be read. */
export type Parsed<D extends ResourceDefinition> = ResourceOf<D> & { readonly problem?: string };

/**
 * Parses what the API server gave by the schema of its kind, so that a spec
 * that an older CRD let through is a sentence with a path and never a crash.
 * A status that does not parse counts as none: it is output, and is written anew.
 */
export function parseResource<Spec extends z.ZodType, Status extends z.ZodType>(
  definition: ResourceDefinition<Spec, Status>,
  raw: KubeObject & { readonly spec?: unknown; readonly status?: unknown },
): Parsed<ResourceDefinition<Spec, Status>> {
  const spec = definition.spec.safeParse(raw.spec);
  const status = definition.status.safeParse(raw.status);
  const parsed = {
    apiVersion: raw.apiVersion,
    kind: definition.kind,
    metadata: raw.metadata,
    spec: spec.success ? spec.data : raw.spec,
    status: status.success ? status.data : definition.status.parse(undefined),
    ...(spec.error && { problem: sentence(spec.error) }),
  };
  return parsed as Parsed<ResourceDefinition<Spec, Status>>; // the schemas just made it so, but for a spec with a problem
}

function sentence({ issues }: z.ZodError): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => `${['spec', ...path.map(String)].join('.')}: ${message}`)
    .join('; ');
}
