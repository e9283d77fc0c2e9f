import type { AIWorkflow } from '../api/aiworkflow.ts';
import { keyOf } from '../api/resource.ts';
import { runReconciler } from '../controllers/aiworkflow/index.ts';
import { RunMemory } from '../controllers/aiworkflow/memory.ts';
import { CompletionTracker } from '../controllers/aiworkflow/tracker.ts';
import type { ConnectionDirectory } from '../controllers/connection/directory.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Controller } from '../runtime/controller.ts';
import type { Change } from '../runtime/store.ts';
import { reconcile } from '../runtime/reconcile.ts';
import { aiworkflowKind } from './caches.ts';
import { controllerOf } from './controllers.ts';
import { eventOfRunAction, eventOfRunStatus } from './events.ts';
import { hostOf } from './host.ts';
import { configMapReader, namespaceReader, runReader } from './places.ts';
import { isSettled, keptRun } from './projections.ts';
import type { TermWorld } from './term.ts';

const isDeleted = ({ metadata }: AIWorkflow) => metadata.deletionTimestamp !== undefined;

/** After this long an outage is worth a word in the status of every run that it touches, spread over as long again. */
const AWAY_MS = 30_000;
const SPREAD_MS = 60_000;

/** The controller of runs, with all that feeds it. */
export function runsPart(world: TermWorld, directory: ConnectionDirectory) {
  const { log, config } = world;
  const memory = new RunMemory();
  const tracker = new CompletionTracker({
    clusterName: config.clusterName,
    log,
    onHint: (uid, key) => {
      memory.hint(uid);
      controller.enqueue(key, 'completion');
    },
  });
  const controller = runController(world, { directory, memory, tracker });
  const onRun = ({ key, before, after }: Change<AIWorkflow>) => {
    if (!after && before) {
      tracker.untrack(before.metadata.uid);
      memory.forget(before.metadata.uid);
    } else if (after && !isSettled(after)) {
      const isNews = before?.metadata.generation !== after.metadata.generation;
      controller.enqueue(key, isNews ? 'user' : 'completion');
    }
  };
  const onConnection = (key: string) => {
    const entry = directory.get(key);
    const isInTrouble = entry?.awaySince !== undefined || entry?.problem !== undefined;
    for (const run of runsOn(world, key)) {
      // What was started goes on; what was not is told at once why it is not.
      const isWorthWaiting = isInTrouble && run.status.temporal?.runID !== undefined && !isDeleted(run);
      controller.enqueue(keyOf(run), 'resync', isWorthWaiting ? AWAY_MS + Math.random() * SPREAD_MS : 0);
    }
  };
  return { controller, tracker, onRun, onConnection };
}

interface RunParts {
  readonly directory: ConnectionDirectory;
  readonly memory: RunMemory;
  readonly tracker: CompletionTracker;
}

function runController(world: TermWorld, parts: RunParts): Controller<AIWorkflow> {
  const { caches, kube, config } = world;
  const { directory: connections, memory, tracker } = parts;
  const reconciler = runReconciler({
    ...{ connections, memory, tracker, clusterName: config.clusterName, kube: observedWrites(kube, world) },
    workerOf: (namespace, name) => caches.workers.get(`${namespace}/${name}`),
    readConfigMap: configMapReader(kube),
    readNamespace: namespaceReader(kube, caches.namespaces),
    readRun: runReader(kube),
    now: () => new Date(),
  });
  const host = hostOf(world, {
    kind: aiworkflowKind,
    observeWrite: (run) => caches.runs.observeWrite(keptRun(run)),
    eventOf: eventOfRunAction,
    eventOfStatus: eventOfRunStatus,
  });
  return controllerOf(world, 'aiworkflow', {
    find: (key: string) => {
      const run = caches.runs.get(key);
      return run && isSettled(run) ? undefined : run;
    },
    pass: (run, signal) => reconcile(reconciler, run, host, signal),
  });
}

/** The next pass must see the finalizer that this one has set. */
function observedWrites(kube: KubeClient, { caches }: TermWorld): Pick<KubeClient, 'addFinalizer' | 'removeFinalizer'> {
  const seen = <T>(written: T): T => {
    caches.runs.observeWrite(keptRun(written as AIWorkflow)); // only runs are written through this
    return written;
  };
  return {
    addFinalizer: async (...args) => seen(await kube.addFinalizer(...args)),
    removeFinalizer: async (...args) => seen(await kube.removeFinalizer(...args)),
  };
}

/** Runs that use a connection: by name, and by way of their Worker. */
export function runsOn({ caches }: Pick<TermWorld, 'caches'>, key: string): AIWorkflow[] {
  const byWorker = caches.workers.by('connection', key).flatMap((worker) => caches.runs.by('worker', keyOf(worker)));
  return [...new Set([...caches.runs.by('connection', key), ...byWorker])];
}
