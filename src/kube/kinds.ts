import type * as z from 'zod';
import { parseResource, type Parsed } from '../api/parse.ts';
import { GROUP, VERSION, type KubeObject, type ResourceDefinition } from '../api/resource.ts';
import type {
  ConfigMap,
  CoreEvent,
  Deployment,
  Event,
  Lease,
  Namespace,
  Pod,
  PodDisruptionBudget,
  Secret,
} from './types.ts';

/** How to address the objects of one kind, and what to make of one that was read. */
export interface Kind<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** From what the server sent, with `apiVersion` and `kind` filled in. Never throws. */
  read(raw: KubeObject): T;
}

/** The name of the resource as RBAC and `kubectl` spell it, e.g. `deployments.apps`. */
export function resourceName({ apiVersion, plural }: Pick<Kind<KubeObject>, 'apiVersion' | 'plural'>): string {
  const [group, version] = apiVersion.split('/');
  return version === undefined ? plural : `${plural}.${group ?? ''}`;
}

/** A kind of our own. Objects are parsed by its schema, see `parseResource`. */
export function customKind<Spec extends z.ZodType, Status extends z.ZodType>(
  definition: ResourceDefinition<Spec, Status>,
): Kind<Parsed<ResourceDefinition<Spec, Status>>> {
  const { kind, plural, scope } = definition;
  return {
    ...{ kind, plural, apiVersion: `${GROUP}/${VERSION}`, namespaced: scope === 'Namespaced' },
    read: (raw) => parseResource(definition, raw),
  };
}

/** The server validated it, and our types claim less than it sends. */
function builtIn<T extends KubeObject>(kind: Omit<Kind<T>, 'read' | 'namespaced'>): Kind<T> {
  return { ...kind, namespaced: true, read: (raw) => raw as T };
}

export const pods = builtIn<Pod>({ apiVersion: 'v1', kind: 'Pod', plural: 'pods' });
export const configMaps = builtIn<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' });
export const secrets = builtIn<Secret>({ apiVersion: 'v1', kind: 'Secret', plural: 'secrets' });
export const coreEvents = builtIn<CoreEvent>({ apiVersion: 'v1', kind: 'Event', plural: 'events' });
export const namespaces: Kind<Namespace> = {
  ...builtIn<Namespace>({ apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces' }),
  namespaced: false,
};
export const deployments = builtIn<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' });
export const podDisruptionBudgets = builtIn<PodDisruptionBudget>({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
});
export const leases = builtIn<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' });
export const events = builtIn<Event>({ apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events' });
