import type { Scaling } from '../../api/worker.ts';

/** The server's statistics are that old at most; what was added since is not in them. */
export const STATISTIC_AGE_MS = 5_000;

/** What asks for pods, in slots. */
export interface Demand {
  /** Slots of this pool that work. */
  readonly busySlots: number;
  /** Slots that this pool should have for the tasks that wait. */
  readonly share: number;
  readonly slotsPerPod: number;
  /** Whether this pool is the one that must not be without a pod: something waits that is never divided. */
  readonly isHost: boolean;
  /** Runs that were started for this pool and have had no polling pod yet. */
  readonly claims: number;
}

/** Pods that the work needs, whatever the limits say. */
export function needOf({ busySlots, share, slotsPerPod, isHost }: Demand): number {
  return Math.max(isHost ? 1 : 0, Math.ceil((busySlots + share) / slotsPerPod));
}

/** Pods that must be there before any figure can know of the work. */
export function wakeFloorOf({ claims, slotsPerPod }: Demand): number {
  return Math.ceil(claims / slotsPerPod);
}

/** Pods wanted: what is needed, within the limits. */
export function targetOf({ min, max }: Scaling, demand: Demand): number {
  return Math.min(max, Math.max(min, wakeFloorOf(demand), needOf(demand)));
}

/** How large a pool was lately, and is. */
export interface Size {
  readonly current: number;
  readonly ready: number;
  /** Smallest size of the last `STATISTIC_AGE_MS`, the present one included. */
  readonly recent: number;
}

/**
 * The size to grow to at once. At most `maxStepUp` more than what was there
 * when the statistics were made; and while the server limits the queue's rate
 * one pod is as good as many.
 */
export function stepUp({ min, maxStepUp }: Scaling, target: number, size: Size, isRateLimited: boolean): number {
  const reach = Math.max(size.recent, size.ready) + maxStepUp;
  const limit = isRateLimited ? Math.min(reach, Math.max(1, min)) : reach;
  return Math.max(size.current, Math.min(target, limit));
}
