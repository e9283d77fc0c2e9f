import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { isTrue } from '../../api/conditions.ts';
import { keyOf } from '../../api/resource.ts';
import type { Worker } from '../../api/worker.ts';
import { asOperatorError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { podDisruptionBudgets } from '../../kube/kinds.ts';
import type { ReadStore } from '../../runtime/store.ts';
import type { QueueReader } from '../../temporal/queues.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import { isObjection, type Objection } from './credentials.ts';
import { decide, type Decision, type PoolFacts } from './decide.ts';
import { desiredDeployment } from './deployment.ts';
import { memberOf, type Pool } from './member.ts';
import type { PoolMemory } from './poolmemory.ts';
import type { Claim, ObservedDeployment, ObservedQueue, ObservedWorker } from './observed.ts';
import { deploymentOf, isHindered, peersOf, podsOf, type PoolsWorld } from './peers.ts';
import { observeQueue } from './queue.ts';
import { servingOf, type ReadWorker } from './serving.ts';
import { startedActivities } from './started.ts';
import { ownerOf } from './world.ts';

/** What observing a Worker needs from outside. */
export interface WorkerWorld extends PoolsWorld {
  readonly kube: Pick<KubeClient, 'find'>;
  /** Index `worker`: by the key of the Worker that they name. */
  readonly runs: ReadStore<AIWorkflow>;
  readonly readerOf: (client: TemporalClient) => Pick<QueueReader, 'read' | 'workers'>;
  readonly memory: PoolMemory;
}

/** Reads everything the plan for one Worker needs, and decides its size. */
export async function observeWorker(
  world: WorkerWorld,
  worker: ReadWorker,
  signal: AbortSignal,
): Promise<ObservedWorker> {
  const serving = await servingOf(world, worker, signal);
  if (!serving.isServed) return { kind: 'objected', objection: serving.objection };
  const { key, connection, temporal } = serving;
  const deployment = deploymentOf(world, worker);
  const isSizeKept = worker.spec.scaling.mode !== 'Backlog' && deployment?.backlogReplicas === worker.spec.replicas;
  const reading = await readQueue(world, temporal, worker.spec.taskQueue);
  const peers = reading.queue ? await peersOf(world, worker, key, signal) : [];
  const facts = { ...factsOf(world, worker, { peers, deployment, queue: reading.queue }), isSizeKept };
  return {
    kind: 'served',
    desired: desiredDeployment(worker, connection, isSizeKept),
    deployment,
    ...reading,
    decision: await decideSize(world, worker, { facts, temporal }, signal),
    hasBudget: await hasBudget(world, worker, signal),
    queues: new Set(world.workers.by('connection', key).map(({ spec }) => spec.taskQueue)).size,
    figuresWrittenMs: world.memory.figuresWrittenMs(worker.metadata.uid),
  };
}

/** A Temporal that does not answer is a fact to decide by, not a reason to give up. */
async function readQueue(
  { readerOf }: WorkerWorld,
  temporal: TemporalClient | Objection,
  taskQueue: string,
): Promise<Pick<Extract<ObservedWorker, { kind: 'served' }>, 'queue' | 'temporal'>> {
  if (isObjection(temporal)) return { temporal };
  try {
    return { queue: await observeQueue(readerOf(temporal), taskQueue) };
  } catch (thrown) {
    const { reason, message } = asOperatorError(thrown);
    if (reason === 'InternalError') throw thrown;
    return { temporal: { reason, message } };
  }
}

interface Seen {
  readonly peers: readonly Pool[];
  readonly deployment: ObservedDeployment | undefined;
  readonly queue: ObservedQueue | undefined;
}

function factsOf(world: WorkerWorld, worker: Worker, { peers, deployment, queue }: Seen) {
  const key = keyOf(worker);
  const { taskQueue } = worker.spec;
  return {
    key,
    current: deployment?.replicas ?? 0,
    isHindered: isHindered(deployment),
    pods: podsOf(world, worker),
    queue,
    peers: (serviceMs: number | undefined) =>
      queue ? peers.map((pool) => memberOf(pool, taskQueue, queue, serviceMs)) : [],
    claims: world.runs.by('worker', key).flatMap(claimOf),
  };
}

function claimOf({ metadata, status }: AIWorkflow): Claim[] {
  if (status.startTime === undefined || isTrue(status.conditions, 'Finished')) return [];
  return [{ uid: metadata.uid, startedAtMs: Date.parse(status.startTime) }];
}

/** Asks Temporal about running activities only where nothing else keeps the pool from zero: it costs a call for each run. */
async function decideSize(
  world: WorkerWorld,
  { metadata: { uid }, spec }: Worker,
  { facts, temporal }: { readonly facts: PoolFacts; readonly temporal: TemporalClient | Objection },
  signal: AbortSignal,
): Promise<Decision> {
  const nowMs = world.now().getTime();
  const before = world.memory.scaling(uid, nowMs);
  let decision = decide(spec, facts, before, nowMs);
  if (decision.retreating.type === 'prove' && !isObjection(temporal)) {
    const live = world.runs.by('worker', facts.key).filter((run) => claimOf(run).length > 0);
    const running = await startedActivities(temporal, live, spec.taskQueue, signal).catch(() => undefined);
    decision = decide(spec, { ...facts, startedActivities: running }, before, nowMs);
  }
  world.memory.remember(uid, decision.memory);
  return decision;
}

/** Whether there is nothing to do about the budget now. */
async function hasBudget({ kube, memory, now }: WorkerWorld, { metadata }: Worker, signal: AbortSignal) {
  const nowMs = now().getTime();
  if (!memory.isBudgetDue(metadata.uid, nowMs)) return true;
  const found = await kube.find(podDisruptionBudgets, metadata, { signal });
  if (!found) return false;
  // One of an earlier Worker of that name is about to go: only when it has gone can ours come. A stranger's is respected.
  if (ownerOf(found, metadata.uid) !== 'predecessor') memory.budgetSeen(metadata.uid, nowMs);
  return true;
}
