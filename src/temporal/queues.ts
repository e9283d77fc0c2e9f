import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto, { type temporal } from '@temporalio/proto';
import { Cache } from './cache.ts';
import type { TemporalClient } from './clients.ts';
import { beatOf, type WorkerBeat } from './beat.ts';

/** Figures of one kind of task on a queue. The server keeps them for 5 s. */
export interface QueueFigures {
  /** Tasks that wait, about. */
  readonly backlog: number;
  /** How long the oldest has waited. */
  readonly ageSeconds: number;
  readonly addRatePerSecond: number;
  readonly dispatchRatePerSecond: number;
}

/** Somebody who polled a queue within the last five minutes: not a proof of life. */
export interface Poller {
  readonly identity: string;
  readonly lastAccessMs: number;
}

/** A task queue, all its versions together. */
export interface QueueReading {
  readonly activities: QueueFigures;
  readonly workflows: QueueFigures;
  readonly pollers: readonly Poller[];
  /** A rate limit held back tasks within the last half minute: more workers would not help. */
  readonly isRateLimited: boolean;
  /** By our clock. */
  readonly readAtMs: number;
}

/** The workers of a Temporal namespace. */
export interface WorkersReading {
  readonly beats: readonly WorkerBeat[];
  /** By our clock. */
  readonly readAtMs: number;
}

const TTL_MS = 2_000;
/** A server that hangs must not hold for long those who ask: they are few, and serve other Temporals, too. */
const DEADLINE_MS = 2_000;

const { TASK_QUEUE_TYPE_ACTIVITY: ACTIVITIES, TASK_QUEUE_TYPE_WORKFLOW: WORKFLOWS } =
  proto.temporal.api.enums.v1.TaskQueueType;

/** Reads queues and workers of one Temporal namespace; whoever asks at about the same time shares an answer. */
export class QueueReader {
  private readonly client: TemporalClient;
  private readonly queues: Cache<QueueReading>;
  private readonly registry: Cache<WorkersReading>;

  constructor(client: TemporalClient, ttlMs = TTL_MS) {
    this.client = client;
    this.queues = new Cache(ttlMs);
    this.registry = new Cache(ttlMs);
  }

  /** The figures and pollers of a queue, in two calls. Throws an OperatorError. */
  read(taskQueue: string): Promise<QueueReading> {
    return this.queues.get(taskQueue, () => this.readQueue(taskQueue));
  }

  /** All workers that report heartbeats, of every queue, in one call. Throws an OperatorError. */
  workers(): Promise<WorkersReading> {
    return this.registry.get('', () => this.readWorkers());
  }

  private async readQueue(taskQueue: string): Promise<QueueReading> {
    const [activities, workflows] = await Promise.all([
      this.describe(taskQueue, ACTIVITIES),
      this.describe(taskQueue, WORKFLOWS),
    ]);
    const both = [activities, workflows];
    return {
      activities: figuresOf(activities.stats),
      workflows: figuresOf(workflows.stats),
      pollers: pollersIn(both.flatMap(({ pollers }) => pollers)),
      isRateLimited: both.some(({ stats }) => stats?.rateLimitingActive),
      readAtMs: Date.now(),
    };
  }

  private describe(taskQueue: string, taskQueueType: temporal.api.enums.v1.TaskQueueType) {
    const request = { taskQueue: { name: taskQueue }, taskQueueType, reportStats: true };
    return this.client.call('describeTaskQueue', request, {
      what: `look at the task queue ${taskQueue}`,
      priority: 'statistics',
      deadlineMs: DEADLINE_MS,
    });
  }

  private async readWorkers(): Promise<WorkersReading> {
    // Without a page size the server answers with all of them at once.
    const options = { what: 'list workers', priority: 'statistics', deadlineMs: DEADLINE_MS } as const;
    const { workersInfo } = await this.client.call('listWorkers', {}, options);
    const beats = workersInfo.flatMap(({ workerHeartbeat }) => (workerHeartbeat ? [beatOf(workerHeartbeat)] : []));
    return { beats, readAtMs: Date.now() };
  }
}

function figuresOf(stats: temporal.api.taskqueue.v1.TaskQueueStats.$Properties | null | undefined): QueueFigures {
  return {
    backlog: stats?.approximateBacklogCount?.toNumber() ?? 0,
    ageSeconds: (optionalTsToMs(stats?.approximateBacklogAge) ?? 0) / 1_000,
    addRatePerSecond: stats?.tasksAddRate ?? 0,
    dispatchRatePerSecond: stats?.tasksDispatchRate ?? 0,
  };
}

/** A worker polls for both kinds of task: it is listed once, with the later time. */
function pollersIn(pollers: readonly temporal.api.taskqueue.v1.PollerInfo.$Properties[]): Poller[] {
  const latest = new Map<string, number>();
  for (const { identity, lastAccessTime } of pollers) {
    const name = identity ?? '';
    latest.set(name, Math.max(latest.get(name) ?? 0, optionalTsToMs(lastAccessTime) ?? 0));
  }
  return [...latest].map(([identity, lastAccessMs]) => ({ identity, lastAccessMs }));
}
