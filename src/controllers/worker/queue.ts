import { SLOWEST_BEAT_MS } from './throughput.ts';
import type { WorkerBeat } from '../../temporal/beat.ts';
import type { QueueFigures as Reading, QueueReader } from '../../temporal/queues.ts';
import type { Beat, ObservedQueue, QueueFigures } from './observed.ts';

/** A worker that has missed so many of its beats does not live any more. */
const MISSED_BEATS = 2;

/** A queue and the workers of its Temporal namespace, as the scaler sees them. Throws an OperatorError. */
export async function observeQueue(
  reader: Pick<QueueReader, 'read' | 'workers'>,
  taskQueue: string,
): Promise<ObservedQueue> {
  const [queue, workers] = await Promise.all([reader.read(taskQueue), reader.workers()]);
  return {
    readAtMs: queue.readAtMs,
    activities: figuresOf(queue.activities),
    workflows: figuresOf(queue.workflows),
    isRateLimited: queue.isRateLimited,
    pollers: queue.pollers,
    beats: withoutKilled(workers.beats).map((beat) => beatOf(beat)),
  };
}

/**
 * The server lists a worker that was killed for five minutes more, and the
 * one of the restarted container beside it. Only the clock of their pod is
 * read. Two workers of one pod that both live are told from this by their
 * beats: one that lives does not miss them.
 */
function withoutKilled(beats: readonly WorkerBeat[]): readonly WorkerBeat[] {
  const newest = new Map<string, WorkerBeat>();
  for (const beat of beats) {
    const known = newest.get(placeOf(beat));
    if (!known || beat.startedAtMs > known.startedAtMs) newest.set(placeOf(beat), beat);
  }
  return beats.filter((beat) => {
    const { startedAtMs, beatAtMs } = newest.get(placeOf(beat)) ?? beat;
    const isOverdue = beatAtMs - beat.beatAtMs > MISSED_BEATS * (beat.intervalMs ?? SLOWEST_BEAT_MS);
    return beat.hostName === '' || startedAtMs <= beat.beatAtMs || !isOverdue;
  });
}

const placeOf = ({ hostName, taskQueue }: WorkerBeat) => JSON.stringify([hostName, taskQueue]);

function figuresOf({ backlog, ageSeconds, addRatePerSecond, dispatchRatePerSecond }: Reading): QueueFigures {
  return {
    waiting: backlog,
    ageSeconds,
    addedPerSecond: addRatePerSecond,
    dispatchedPerSecond: dispatchRatePerSecond,
  };
}

/** Local activities and Nexus operations hold a pod as activities do. */
function beatOf({ slots, ...beat }: WorkerBeat): Beat {
  const { activities, localActivities, workflows, nexus } = slots;
  return {
    ...beat,
    usedSlots: activities.used + localActivities.used + nexus.used,
    usedWorkflowSlots: workflows.used,
    totalSlots: activities.total,
    processedActivities: activities.processed,
    processed: activities.processed + localActivities.processed + workflows.processed + nexus.processed,
  };
}
