import type { AIWorkflow } from '../api/aiworkflow.ts';
import { keyOf, type KubeObject } from '../api/resource.ts';
import type { Worker } from '../api/worker.ts';
import type { ConnectionDirectory } from '../controllers/connection/directory.ts';
import { passOverWorker, workerReconciler } from '../controllers/worker/index.ts';
import { PoolMemory } from '../controllers/worker/poolmemory.ts';
import type { Controller } from '../runtime/controller.ts';
import type { Change } from '../runtime/store.ts';
import { QueueReader } from '../temporal/queues.ts';
import type { TemporalClient } from '../temporal/clients.ts';
import { workerKind } from './caches.ts';
import { controllerOf } from './controllers.ts';
import { eventOfWorkerAction } from './events.ts';
import { hostOf } from './host.ts';
import { podIndexes, runIndexes } from './indexes.ts';
import { namespaceReader } from './places.ts';
import { hidePool, showPool } from './poolmetrics.ts';
import type { TermWorld } from './term.ts';

/** The controller of pools, with all that feeds it. */
export function workersPart(world: TermWorld, directory: ConnectionDirectory) {
  const { caches } = world;
  const memory = new PoolMemory();
  const controller = workerController(world, directory, memory);
  const onWorker = ({ key, before, after }: Change<Worker>) => {
    if (before && before.metadata.uid !== after?.metadata.uid) forget(world, memory, before);
    if (before?.metadata.generation !== after?.metadata.generation || !before) controller.enqueue(key, 'user');
  };
  const onOwned = ({ key }: Change<KubeObject>) => {
    if (caches.workers.get(key)) controller.enqueue(key, 'completion');
  };
  const onPod = ({ before, after }: Change<KubeObject>) => {
    const pod = after ?? before;
    for (const key of pod ? podIndexes.worker(pod) : []) controller.enqueue(key, 'completion');
  };
  const onRun = ({ before, after }: Change<AIWorkflow>) => {
    if (claimOf(before) === claimOf(after)) return;
    // A run that has just ended is filed under its Worker before, but not after.
    const keys = [before, after].flatMap((run) => (run ? runIndexes.worker(run) : []));
    for (const key of new Set(keys)) controller.enqueue(key, 'user');
  };
  const onConnection = (key: string) => {
    for (const worker of caches.workers.by('connection', key)) controller.enqueue(keyOf(worker), 'resync');
  };
  return { controller, onWorker, onOwned, onPod, onRun, onConnection };
}

function forget({ metrics }: TermWorld, memory: PoolMemory, worker: Worker): void {
  memory.forget(worker.metadata.uid);
  hidePool(metrics, worker);
}

/** What of a run matters to its pool: that it was started, and whether it goes on. */
function claimOf(run: AIWorkflow | undefined): string {
  const { temporal, phase } = run?.status ?? {};
  return `${temporal?.runID ?? ''} ${phase ?? ''}`;
}

function workerController(world: TermWorld, connections: ConnectionDirectory, memory: PoolMemory): Controller<Worker> {
  const { caches, kube, config, metrics } = world;
  const readers = new WeakMap<TemporalClient, QueueReader>();
  const readNamespace = namespaceReader(kube, caches.namespaces);
  const reconciler = workerReconciler({
    ...{ kube, connections, memory, now: () => new Date() },
    ...{ workers: caches.workers, runs: caches.runs, deployments: caches.deployments, pods: caches.pods },
    readerOf: (client) => {
      const reader = readers.get(client) ?? new QueueReader(client);
      readers.set(client, reader);
      return reader;
    },
    labelsOf: async (namespace, signal) => (await readNamespace(namespace, signal)).labels,
  });
  const observe: typeof reconciler.observe = async (worker, signal) => {
    const observed = await reconciler.observe(worker, signal);
    if (config.workerMetrics === 'on') showPool(metrics, worker, observed);
    return observed;
  };
  const host = hostOf(world, {
    kind: workerKind,
    observeWrite: (worker) => {
      memory.figuresWritten(worker.metadata.uid, Date.now());
      caches.workers.observeWrite(worker);
    },
    eventOf: eventOfWorkerAction,
  });
  return controllerOf(world, 'worker', {
    find: (key: string) => caches.workers.get(key),
    pass: async (worker, signal) => {
      const result = await passOverWorker({ ...reconciler, observe }, worker, host, signal);
      // It went during the pass, which has remembered and shown it once more.
      if (caches.workers.get(keyOf(worker))?.metadata.uid !== worker.metadata.uid) forget(world, memory, worker);
      return result;
    },
  });
}
