import type { ObjectMeta } from '../../src/api/resource.ts';
import { Worker, type Scaling, type WorkerStatus } from '../../src/api/worker.ts';
import type { PoolFacts } from '../../src/controllers/worker/decide.ts';
import type { Beat, ObservedPod, ObservedQueue, QueueFigures } from '../../src/controllers/worker/observed.ts';

/** Noon: a fixed present for tests that need one. */
export const NOW_MS = Date.parse('2026-01-01T12:00:00Z');

/** A valid Worker. Say only what the test is about; defaults come from the schema itself. */
export function aWorker(
  overrides: {
    metadata?: Partial<ObjectMeta>;
    scaling?: Partial<Scaling>;
    spec?: Record<string, unknown>;
    status?: Partial<WorkerStatus>;
  } = {},
): Worker {
  const scaling = { mode: 'Backlog', min: 0, max: 8, ...overrides.scaling };
  return {
    metadata: {
      name: 'gpu-pool',
      namespace: 'team-a',
      uid: 'w-1',
      generation: 1,
      resourceVersion: '1',
      ...overrides.metadata,
    },
    spec: Worker.spec.parse({
      taskQueue: 'ai-inference',
      template: { spec: { containers: [{ name: 'worker', image: 'worker:1' }] } },
      scaling,
      ...overrides.spec,
    }),
    status: { observedGeneration: -1, ...overrides.status },
  };
}

/** A pod that is up, does nothing and carries no marks. */
export function aPod(name: string, overrides: Partial<ObservedPod> = {}): ObservedPod {
  return {
    name,
    isReady: true,
    isTerminating: false,
    hasProcess: true,
    isGuarded: false,
    replicaSet: 'rs-1',
    templateHash: 'hash-1',
    ...overrides,
  };
}

/** One beat of the kit's worker in `pod`, on the queue of `aWorker`, every second. */
export function aBeat(pod: string, overrides: Partial<Beat> = {}): Beat {
  return {
    instance: `${pod}#1`,
    identity: pod,
    hostName: pod,
    taskQueue: 'ai-inference',
    status: 'Running',
    beatAtMs: NOW_MS,
    startedAtMs: NOW_MS - 600_000,
    intervalMs: 1000,
    usedSlots: 0,
    usedWorkflowSlots: 0,
    totalSlots: 1,
    processedActivities: 0,
    processed: 0,
    ...overrides,
  };
}

const nothing: QueueFigures = { waiting: 0, ageSeconds: 0, addedPerSecond: 0, dispatchedPerSecond: 0 };

/** A queue on which `waiting` activity tasks wait, as read just now. */
export function aQueue(
  overrides: Partial<Omit<ObservedQueue, 'activities' | 'workflows'>> & {
    waiting?: number;
    workflowsWaiting?: number;
  } = {},
): ObservedQueue {
  const { waiting = 0, workflowsWaiting = 0, ...rest } = overrides;
  return {
    readAtMs: NOW_MS,
    activities: { ...nothing, waiting },
    workflows: { ...nothing, waiting: workflowsWaiting },
    isRateLimited: false,
    pollers: [],
    beats: [],
    ...rest,
  };
}

/** The facts of a pool that has nothing, on a queue where nothing waits. */
export function facts(overrides: Partial<PoolFacts> = {}): PoolFacts {
  return {
    key: 'team-a/gpu-pool',
    current: 0,
    isHindered: false,
    pods: [],
    queue: aQueue(),
    peers: () => [],
    claims: [],
    isSizeKept: false,
    ...overrides,
  };
}
