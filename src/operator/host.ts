import type { AnyResource, KubeObject } from '../api/resource.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Kind } from '../kube/kinds.ts';
import type { EventRecord, Log } from '../runtime/ports.ts';
import type { AnyAction, Host } from '../runtime/reconcile.ts';

/** What every host needs, whatever its kind. */
export interface HostWorld {
  readonly kube: Pick<KubeClient, 'replaceStatus'>;
  readonly record: (event: EventRecord) => void;
  readonly log: Log;
}

/** What is special about one kind. */
export interface HostOptions<Resource extends AnyResource, Action> {
  readonly kind: Kind<Resource>;
  /** The answer to a write: the next pass must not see what was before it. */
  readonly observeWrite: (written: Resource) => void;
  /** The Event for an action, if it is worth one. */
  readonly eventOf?: (action: Action) => EventText | undefined;
  /** The Event for a status that was written, if it is worth one. */
  readonly eventOfStatus?: (before: Resource, after: Resource['status']) => EventText | undefined;
}

/** An Event but for what it regards. */
export type EventText = Omit<EventRecord, 'regarding'>;

/** What the driver of passes needs, on the real API server. */
export function hostOf<Resource extends AnyResource, Action extends AnyAction>(
  world: HostWorld,
  options: HostOptions<Resource, Action>,
): Host<Resource, Action> {
  const { kind, observeWrite, eventOf, eventOfStatus } = options;
  const say = (resource: Resource, event: EventText | undefined) => {
    if (event) world.record({ ...event, regarding: regarding(kind, resource) });
  };
  return {
    now: () => new Date(),
    async writeStatus(resource, status, signal) {
      observeWrite(await world.kube.replaceStatus(kind, resource, status, { signal }));
      say(resource, eventOfStatus?.(resource, status));
    },
    onApplied(resource, action) {
      const { namespace, name } = resource.metadata;
      world.log.info('applied', { kind: kind.kind, namespace, name, action: action.type, because: action.because });
      say(resource, eventOf?.(action));
    },
  };
}

function regarding({ apiVersion, kind }: Kind<KubeObject>, { metadata }: KubeObject): EventRecord['regarding'] {
  const { name, namespace, uid } = metadata;
  return { apiVersion, kind, name, uid, ...(namespace !== undefined && { namespace }) };
}
