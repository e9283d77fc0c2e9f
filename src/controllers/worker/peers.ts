import { keyOf } from '../../api/resource.ts';
import type { Worker } from '../../api/worker.ts';
import type { Deployment, Pod } from '../../kube/types.ts';
import type { ReadStore } from '../../runtime/store.ts';
import { containerOf } from './containers.ts';
import type { Pool } from './member.ts';
import type { ObservedDeployment } from './observed.ts';
import { servingOf, type ReadWorker, type ServingWorld } from './serving.ts';
import { observedDeployment, observedPods } from './world.ts';

/** What looking at pools needs from outside. */
export interface PoolsWorld extends ServingWorld {
  /** Index `connection`: by the key of the connection. */
  readonly workers: ReadStore<ReadWorker>;
  readonly deployments: ReadStore<Deployment>;
  /** Index `worker`: by the key of the Worker that they are of. */
  readonly pods: ReadStore<Pod>;
  readonly now: () => Date;
}

/** A Worker has its Deployment a moment after it was made; one that still has none was refused it. */
const GETS_DEPLOYMENT_MS = 10_000;

/**
 * The other pools on the queue of a Worker that can serve it. One that cannot
 * does not count: it would be given the work, and nobody would do it. Throws
 * what reading a namespace throws.
 */
export async function peersOf(
  world: PoolsWorld,
  worker: Worker,
  connectionKey: string,
  signal: AbortSignal,
): Promise<readonly Pool[]> {
  const key = keyOf(worker);
  const peers: Pool[] = [];
  for (const other of world.workers.by('connection', connectionKey)) {
    if (other.spec.taskQueue !== worker.spec.taskQueue || keyOf(other) === key) continue;
    if (await canServe(world, other, signal)) peers.push(poolOf(world, other));
  }
  return peers;
}

async function canServe(world: PoolsWorld, worker: ReadWorker, signal: AbortSignal): Promise<boolean> {
  const { creationTimestamp, deletionTimestamp } = worker.metadata;
  if (deletionTimestamp !== undefined) return false;
  const deployment = deploymentOf(world, worker);
  const ageMs = world.now().getTime() - Date.parse(creationTimestamp ?? '');
  const isOurs = deployment ? deployment.owner === 'ours' : ageMs < GETS_DEPLOYMENT_MS;
  return isOurs && (await servingOf(world, worker, signal)).isServed;
}

function poolOf(world: PoolsWorld, worker: Worker): Pool {
  const deployment = deploymentOf(world, worker);
  return {
    key: keyOf(worker),
    scaling: worker.spec.scaling,
    replicas: deployment?.replicas ?? 0,
    isHindered: isHindered(deployment),
    pods: podsOf(world, worker),
  };
}

/** Whether the Deployment cannot create pods, or makes no progress with them. */
export function isHindered(deployment: ObservedDeployment | undefined): boolean {
  return (deployment?.replicaFailure ?? deployment?.deadlineExceeded) !== undefined;
}

/** The Deployment of a Worker's name. */
export function deploymentOf({ deployments }: PoolsWorld, worker: Worker): ObservedDeployment | undefined {
  const found = deployments.get(keyOf(worker));
  return found && observedDeployment(found, worker.metadata.uid);
}

/** The pods of a Worker. */
export function podsOf({ pods }: PoolsWorld, worker: Worker) {
  return observedPods(pods.by('worker', keyOf(worker)), containerOf(worker.spec.template.spec)?.['name']);
}
