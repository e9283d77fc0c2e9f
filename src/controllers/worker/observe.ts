import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { isTrue } from '../../api/conditions.ts';
import { defaultConnectionRef } from '../../api/fields.ts';
import { keyOf } from '../../api/resource.ts';
import type { Worker } from '../../api/worker.ts';
import { asOperatorError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { podDisruptionBudgets } from '../../kube/kinds.ts';
import type { Deployment, Pod } from '../../kube/types.ts';
import type { ReadStore } from '../../runtime/store.ts';
import type { QueueReader } from '../../temporal/queues.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import type { ConnectionDirectory, Resolution } from '../connection/directory.ts';
import { isObjection, podConnection } from './credentials.ts';
import { decide, type Decision, type PoolFacts } from './decide.ts';
import { desiredDeployment } from './deployment.ts';
import { memberOf } from './member.ts';
import type { PoolMemory } from './poolmemory.ts';
import type { Claim, ObservedDeployment, ObservedQueue, ObservedWorker } from './observed.ts';
import { observeQueue } from './queue.ts';
import { startedActivities } from './started.ts';
import { observedDeployment, observedPods } from './world.ts';

/** What observing a Worker needs from outside. */
export interface WorkerWorld {
  readonly kube: Pick<KubeClient, 'find'>;
  /** Index `connection`: by the key of the connection. */
  readonly workers: ReadStore<Worker>;
  /** Index `worker`: by the key of the Worker that they name. */
  readonly runs: ReadStore<AIWorkflow>;
  readonly deployments: ReadStore<Deployment>;
  /** Index `worker`: by the key of the Worker that they are of. */
  readonly pods: ReadStore<Pod>;
  readonly connections: ConnectionDirectory;
  readonly readerOf: (client: TemporalClient) => QueueReader;
  readonly labelsOf: (namespace: string, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
  readonly memory: PoolMemory;
  readonly now: () => Date;
}

/** Reads everything the plan for one Worker needs, and decides its size. */
export async function observeWorker(
  world: WorkerWorld,
  worker: Worker & { readonly problem?: string },
  signal: AbortSignal,
): Promise<ObservedWorker> {
  if (worker.problem !== undefined) return objected('InvalidSpec', worker.problem, true);
  const resolution = await resolve(world, worker, signal);
  if (!resolution.isUsable) return objected(resolution.reason, resolution.message, false);
  const connection = podConnection(worker.spec, resolution.connection);
  if (isObjection(connection)) return objected(connection.reason, connection.message, true);
  const deployment = deploymentOf(world, worker);
  const isSizeKept = worker.spec.scaling.mode !== 'Backlog' && deployment?.backlogReplicas === worker.spec.replicas;
  const reading = await readQueue(world, resolution, worker.spec.taskQueue);
  const facts = { ...factsOf(world, worker, { resolution, deployment, queue: reading.queue }), isSizeKept };
  return {
    kind: 'served',
    desired: desiredDeployment(worker, connection, isSizeKept),
    deployment,
    ...reading,
    decision: await decideSize(world, worker, { facts, client: resolution.client }, signal),
    hasBudget: await hasBudget(world, worker, signal),
    queues: new Set(world.workers.by('connection', resolution.key).map(({ spec }) => spec.taskQueue)).size,
    figuresWrittenMs: world.memory.figuresWrittenMs(worker.metadata.uid),
  };
}

type Usable = Extract<Resolution, { isUsable: true }>;

function objected(reason: Extract<Resolution, { isUsable: false }>['reason'], message: string, needsChange: boolean) {
  return { kind: 'objected', objection: { reason, message, needsChange } } as const;
}

async function resolve(world: WorkerWorld, { metadata, spec }: Worker, signal: AbortSignal): Promise<Resolution> {
  const { namespace = '' } = metadata;
  const ref = spec.connectionRef ?? defaultConnectionRef;
  const labels = ref.kind === 'ClusterTemporalConnection' ? await world.labelsOf(namespace, signal) : {};
  return world.connections.resolve(ref, { namespace, labels });
}

function deploymentOf({ deployments }: WorkerWorld, worker: Worker): ObservedDeployment | undefined {
  const found = deployments.get(keyOf(worker));
  return found && observedDeployment(found, worker.metadata.uid);
}

/** A Temporal that does not answer is a fact to decide by, not a reason to give up. */
async function readQueue(
  { readerOf }: WorkerWorld,
  { client }: Usable,
  taskQueue: string,
): Promise<Pick<Extract<ObservedWorker, { kind: 'served' }>, 'queue' | 'temporal'>> {
  try {
    return { queue: await observeQueue(readerOf(client), taskQueue) };
  } catch (thrown) {
    const { reason, message } = asOperatorError(thrown);
    if (reason === 'InternalError') throw thrown;
    return { temporal: { reason, message } };
  }
}

interface Seen {
  readonly resolution: Usable;
  readonly deployment: ObservedDeployment | undefined;
  readonly queue: ObservedQueue | undefined;
}

function factsOf(world: WorkerWorld, worker: Worker, { resolution, deployment, queue }: Seen) {
  const key = keyOf(worker);
  const { taskQueue } = worker.spec;
  const others = world.workers
    .by('connection', resolution.key)
    .filter((other) => other.spec.taskQueue === taskQueue && keyOf(other) !== key);
  return {
    key,
    current: deployment?.replicas ?? 0,
    pods: observedPods(world.pods.by('worker', key)),
    queue,
    peers: (serviceMs: number | undefined) =>
      queue ? others.map((other) => memberOf(poolOf(world, other), taskQueue, queue, serviceMs)) : [],
    claims: world.runs.by('worker', key).flatMap(claimOf),
  };
}

function poolOf(world: WorkerWorld, worker: Worker) {
  const key = keyOf(worker);
  const replicas = deploymentOf(world, worker)?.replicas ?? 0;
  return { key, scaling: worker.spec.scaling, replicas, pods: observedPods(world.pods.by('worker', key)) };
}

function claimOf({ metadata, status }: AIWorkflow): Claim[] {
  if (status.startTime === undefined || isTrue(status.conditions, 'Finished')) return [];
  return [{ uid: metadata.uid, startedAtMs: Date.parse(status.startTime) }];
}

/** Asks Temporal about running activities only where the pool would go to zero next: it costs a call for each run. */
async function decideSize(
  world: WorkerWorld,
  { metadata: { uid }, spec }: Worker,
  { facts, client }: { readonly facts: PoolFacts; readonly client: TemporalClient },
  signal: AbortSignal,
): Promise<Decision> {
  const nowMs = world.now().getTime();
  const before = world.memory.scaling(uid, nowMs);
  let decision = decide(spec, facts, before, nowMs);
  if (decision.target === 0 && facts.current > 0 && facts.queue && spec.scaling.mode === 'Backlog') {
    const live = world.runs.by('worker', facts.key).filter((run) => claimOf(run).length > 0);
    const running = await startedActivities(client, live, spec.taskQueue, signal).catch(() => undefined);
    decision = decide(spec, { ...facts, startedActivities: running }, before, nowMs);
  }
  world.memory.remember(uid, decision.memory);
  return decision;
}

/** Once it is there it stays: the garbage collector takes it with the Worker. */
async function hasBudget({ kube, memory }: WorkerWorld, { metadata }: Worker, signal: AbortSignal): Promise<boolean> {
  if (memory.hasBudget(metadata.uid)) return true;
  const found = await kube.find(podDisruptionBudgets, metadata, { signal });
  if (found) memory.budgetSeen(metadata.uid);
  return found !== undefined;
}
