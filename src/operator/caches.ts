import { AIWorkflow } from '../api/aiworkflow.ts';
import { ClusterTemporalConnection, TemporalConnection, type Connection } from '../api/connection.ts';
import type { KubeObject } from '../api/resource.ts';
import { Worker } from '../api/worker.ts';
import type { KubeClient } from '../kube/client.ts';
import { customKind, deployments, namespaces, pods, type Kind } from '../kube/kinds.ts';
import type { Selection } from '../kube/path.ts';
import type { Deployment, Namespace, Pod } from '../kube/types.ts';
import type { Log } from '../runtime/ports.ts';
import { Reflector } from '../runtime/reflector.ts';
import { Store, type Indexes } from '../runtime/store.ts';
import { WORKER_LABEL } from '../controllers/worker/names.ts';
import { podIndexes, runIndexes, workerIndexes } from './indexes.ts';
import { keptDeployment, keptPod, keptRun, withoutNoise } from './projections.ts';
import { UnionStore } from './union.ts';

export const aiworkflowKind = customKind(AIWorkflow);
export const workerKind = customKind(Worker);
// Both kinds of connection differ in their scope alone, so one controller serves them.
export const namespacedConnectionKind = customKind(TemporalConnection) as Kind<Connection>;
export const clusterConnectionKind = customKind(ClusterTemporalConnection) as Kind<Connection>;

/** Everything that is watched, as of a moment ago. */
export interface Caches {
  readonly runs: UnionStore<AIWorkflow>;
  readonly workers: UnionStore<Worker>;
  readonly connections: UnionStore<Connection>;
  readonly clusterConnections: UnionStore<Connection>;
  /** Of our Workers only. */
  readonly deployments: UnionStore<Deployment>;
  /** Of our Workers only. */
  readonly pods: UnionStore<Pod>;
  /** Empty where single namespaces are served: there is no right to watch them. */
  readonly namespaces: UnionStore<Namespace>;
  readonly reflectors: readonly CacheReflector[];
}

/** A reflector, whatever it keeps. */
export type CacheReflector = Pick<Reflector<KubeObject>, 'start' | 'stop' | 'synced' | 'isSynced'>;

/** What opening the caches needs. */
export interface CacheOptions {
  readonly kube: Pick<KubeClient, 'source'>;
  /** The namespaces to serve; all unless given. */
  readonly served: readonly string[] | undefined;
  readonly log: Log;
  readonly onEvent?: (source: string, event: string) => void;
}

/** How one kind is kept. */
interface Keeping<T extends KubeObject> {
  readonly kind: Kind<T>;
  readonly indexes?: Indexes<T>;
  readonly project?: (raw: T) => T;
  readonly selection?: Selection;
}

/**
 * Objects a page of a list. Anybody may create some hundreds of 1.5 MiB each,
 * and a page is in memory three times over while it is read: 20 take 0.2 GiB.
 */
const PAGE = 20;

/** Makes all stores and their reflectors; starts none. */
export function openCaches(options: CacheOptions): Caches {
  const reflectors: CacheReflector[] = [];
  const everywhere = options.served === undefined ? [undefined] : [];
  const open = <T extends KubeObject>(
    places: readonly (string | undefined)[],
    { kind, indexes, project = withoutNoise, selection }: Keeping<T>,
  ): UnionStore<T> => {
    const stores = places.map((namespace) => {
      const { log, onEvent, kube } = options;
      const store = new Store<T>(indexes, (error) => log.error('a listener failed', { kind: kind.kind, err: error }));
      const source = kube.source(kind, { ...selection, namespace });
      reflectors.push(
        new Reflector({ source, store, log, project, timing: { pageSize: PAGE }, ...(onEvent && { onEvent }) }),
      );
      return store;
    });
    return new UnionStore(stores);
  };
  const served = options.served ?? everywhere;
  const ours = { labelSelector: WORKER_LABEL };
  return {
    runs: open(served, { kind: aiworkflowKind, indexes: runIndexes, project: keptRun }),
    workers: open(served, { kind: workerKind, indexes: workerIndexes }),
    connections: open(served, { kind: namespacedConnectionKind }),
    clusterConnections: open(everywhere, { kind: clusterConnectionKind }),
    deployments: open(served, { kind: deployments, selection: ours, project: keptDeployment }),
    pods: open(served, { kind: pods, selection: ours, indexes: podIndexes, project: keptPod }),
    namespaces: open(everywhere, { kind: namespaces }),
    reflectors,
  };
}
