import type { WorkerBeat } from '../../temporal/beat.ts';
import type { QueueFigures as Reading, QueueReader } from '../../temporal/queues.ts';
import type { Beat, ObservedQueue, QueueFigures } from './observed.ts';

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
    beats: workers.beats.map((beat) => beatOf(beat)),
  };
}

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
