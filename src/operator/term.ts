import { keyOf } from '../api/resource.ts';
import type { Config } from '../config.ts';
import { ConnectionDirectory, type ConnectionEntry } from '../controllers/connection/directory.ts';
import type { KubeClient } from '../kube/client.ts';
import type { EventRecord, Log } from '../runtime/ports.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { budgetOfNamespace } from '../temporal/budget.ts';
import { ClientPool } from '../temporal/clients.ts';
import type { Caches } from './caches.ts';
import { connectionsPart } from './connections.ts';
import { hidePools } from './poolmetrics.ts';
import { runsOn, runsPart } from './runs.ts';
import { workersPart } from './workers.ts';
import { isSettled } from './projections.ts';

/** What leading needs from outside. */
export interface TermWorld {
  /** Fenced: after the term nothing is written any more. */
  readonly kube: KubeClient;
  readonly caches: Caches;
  readonly config: Config;
  readonly metrics: Metrics;
  readonly record: (event: EventRecord) => void;
  readonly log: Log;
}

/** Before the first look at every connection, runs would all say that theirs is not ready; one that does not answer is not waited for. */
const FIRST_LOOK_MS = 5_000;

/** Runs all controllers until the signal is aborted. All that is in memory begins anew with each term. */
export async function leadTerm(world: TermWorld, signal: AbortSignal): Promise<void> {
  const { caches, metrics } = world;
  const directory = new ConnectionDirectory();
  const pool = poolOf(world);
  const runs = runsPart(world, directory);
  const connections = connectionsPart(world, {
    ...{ directory, pool },
    isUsed: (key) => runsOn(world, key).some(({ metadata }) => (metadata.finalizers ?? []).length > 0),
    onForgotten: (key) => runs.tracker.drop(key),
  });
  const workers = workersPart(world, directory);
  const unsubscribe = [
    metrics.onScrape(() => showLoad(metrics, { runs, workers, connections })),
    caches.connections.onChange(connections.onConnection),
    caches.clusterConnections.onChange(connections.onConnection),
  ];
  try {
    connections.controller.start();
    await firstLooks(directory, connections.begin(), signal);
    unsubscribe.push(caches.runs.onChange(connections.onRun));
    unsubscribe.push(...feedRuns(world, directory, runs), ...feedWorkers(world, directory, workers));
    const open = caches.runs.all().filter((run) => !isSettled(run));
    for (const run of open) runs.controller.enqueue(keyOf(run), 'resync');
    for (const worker of caches.workers.all()) workers.controller.enqueue(keyOf(worker), 'resync');
    runs.controller.start();
    workers.controller.start();
    await aborted(signal);
  } finally {
    for (const stop of unsubscribe) stop();
    await Promise.all([workers, runs, connections].map(({ controller }) => controller.stop()));
    await Promise.all([runs.tracker.stop(), connections.watches.stop()]);
    pool.close();
    hidePools(metrics);
  }
}

function poolOf({ config, metrics }: TermWorld): ClientPool {
  return new ClientPool({
    identity: `aiworkflow-operator@${config.clusterName}`,
    newBudget: () => budgetOfNamespace(config.temporalCallsPerSecond),
    onCall: ({ method, code, namespace, ms }) => {
      metrics.temporalCalls.inc({ method, code, namespace });
      metrics.temporalSeconds.observe({ method }, ms / 1_000);
    },
  });
}

interface TermParts {
  readonly runs: ReturnType<typeof runsPart>;
  readonly workers: ReturnType<typeof workersPart>;
  readonly connections: ReturnType<typeof connectionsPart>;
}

function showLoad({ queueDepth, trackedRuns }: Metrics, { runs, workers, connections }: TermParts): void {
  queueDepth.set({ controller: 'aiworkflow' }, runs.controller.depth);
  queueDepth.set({ controller: 'worker' }, workers.controller.depth);
  queueDepth.set({ controller: 'connection' }, connections.controller.depth);
  trackedRuns.reset();
  for (const [connection, count] of runs.tracker.counts()) trackedRuns.set({ connection }, count);
}

function feedRuns(
  world: TermWorld,
  directory: ConnectionDirectory,
  runs: ReturnType<typeof runsPart>,
): readonly (() => void)[] {
  return [world.caches.runs.onChange(runs.onRun), directory.onChange(runs.onConnection), onWorkers(world, runs)];
}

function feedWorkers(
  { caches }: TermWorld,
  directory: ConnectionDirectory,
  workers: ReturnType<typeof workersPart>,
): readonly (() => void)[] {
  return [
    caches.workers.onChange(workers.onWorker),
    caches.deployments.onChange(workers.onOwned),
    caches.pods.onChange(workers.onPod),
    caches.runs.onChange(workers.onRun),
    directory.onChange(workers.onConnection),
  ];
}

/** A Worker that came, went or changed matters to the runs that name it. */
function onWorkers({ caches }: TermWorld, { controller }: ReturnType<typeof runsPart>): () => void {
  return caches.workers.onChange(({ key, before, after }) => {
    if (before && before.metadata.generation === after?.metadata.generation) return;
    for (const run of caches.runs.by('worker', key)) controller.enqueue(keyOf(run), 'resync');
  });
}

async function firstLooks(directory: ConnectionDirectory, keys: readonly string[], signal: AbortSignal): Promise<void> {
  const missing = new Set(keys.filter((key) => !isLookedAt(directory.get(key))));
  if (missing.size === 0) return;
  const all = Promise.withResolvers<undefined>();
  const done = () => all.resolve(undefined);
  const timer = setTimeout(done, FIRST_LOOK_MS);
  signal.addEventListener('abort', done, { once: true });
  const stop = directory.onChange((key) => {
    if (isLookedAt(directory.get(key))) missing.delete(key);
    if (missing.size === 0) done();
  });
  await all.promise;
  stop();
  clearTimeout(timer);
  signal.removeEventListener('abort', done);
}

function isLookedAt(entry: ConnectionEntry | undefined): boolean {
  return entry?.server !== undefined || entry?.problem !== undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
