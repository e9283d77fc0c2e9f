import { durationMs } from '../../api/duration.ts';
import type { Scaling } from '../../api/worker.ts';
import type { QueueMember } from './handout.ts';
import { beatsOf, isPolledBy } from './idle.ts';
import type { Beat, ObservedPod, ObservedQueue } from './observed.ts';
import { sum } from './throughput.ts';

/** A pool on a queue, without what only its own controller remembers of it. */
export interface Pool {
  /** `<namespace>/<name>` of the Worker. */
  readonly key: string;
  readonly scaling: Scaling;
  /** Of the Deployment; 0 where there is none. */
  readonly replicas: number;
  /** Whether its Deployment cannot create pods, or makes no progress with them. */
  readonly isHindered: boolean;
  readonly pods: readonly ObservedPod[];
}

/** Slots of one pod: what the pods report, the fewest where they differ, else what the spec promises. */
export function slotsPerPod({ scaling, pods }: Pool, taskQueue: string, queue: ObservedQueue): number {
  const measured = pods.flatMap((pod) => {
    const total = sum(onQueue(pod, taskQueue, queue), ({ totalSlots }) => totalSlots ?? 0);
    return total > 0 ? [total] : [];
  });
  return measured.length === 0 ? scaling.tasksPerReplica : Math.min(...measured);
}

/** The pool as one of those that share the queue. `serviceMs`: how long a task holds a slot, where that is known. */
export function memberOf(
  pool: Pool,
  taskQueue: string,
  queue: ObservedQueue,
  serviceMs: number | undefined,
): QueueMember {
  const { key, scaling, replicas, isHindered } = pool;
  const slots = slotsPerPod(pool, taskQueue, queue);
  const live = pool.pods.filter(({ isTerminating }) => !isTerminating);
  const stuck = live.filter(isStuck);
  const placed = live.filter((pod) => !isStuck(pod));
  const isBlocked = isHindered || stuck.length > 0;
  const startingSlots = Math.max(0, replicas - live.length) * slots;
  const growingSlots = scaling.mode === 'Backlog' ? Math.max(0, scaling.max - replicas) * slots : 0;
  return {
    key,
    isBlocked,
    replicas,
    freeSlots: sum(placed, (pod) => freeSlots(pod, taskQueue, queue, slots)) + (isBlocked ? 0 : startingSlots),
    roomSlots: growingSlots + stuck.length * slots + (isBlocked ? startingSlots : 0),
    slotsPerTask: slotsPerTask(scaling, serviceMs),
  };
}

/** Whether it finds no node, or a container of it does not start: its slots may never be there. */
function isStuck({ unschedulable, isReady, waitingReason }: ObservedPod): boolean {
  return unschedulable !== undefined || (!isReady && waitingReason !== undefined);
}

function onQueue(pod: ObservedPod, taskQueue: string, queue: ObservedQueue): Beat[] {
  return beatsOf(pod, queue.beats).filter((beat) => beat.taskQueue === taskQueue);
}

/** A pod that has not reported yet is about to serve; one that polls and never reports is not known to be free. */
function freeSlots(pod: ObservedPod, taskQueue: string, queue: ObservedQueue, slots: number): number {
  const beats = onQueue(pod, taskQueue, queue);
  if (beats.length > 0) return Math.max(0, slots - sum(beats, ({ usedSlots }) => usedSlots));
  return isPolledBy(queue, pod) ? 0 : slots;
}

/** A task of which many fit into the target latency needs a part of a slot only. */
function slotsPerTask({ targetLatency }: Scaling, serviceMs: number | undefined): number {
  const latencyMs = durationMs(targetLatency);
  if (serviceMs === undefined || latencyMs <= serviceMs) return 1;
  return Math.max(1e-6, serviceMs / latencyMs);
}
