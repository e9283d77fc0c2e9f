import type { PodMemory } from './memory.ts';
import type { Claim } from './observed.ts';

/** A pod that has polled for so long has taken what there was, or the queue's figures show it by now. */
export const SERVED_AFTER_MS = 10_000;
const LONGEST_WAKE_MS = 15 * 60_000;
const SHORTEST_WAKE_MS = 2 * 60_000;

/** For how long a run keeps a pod wanted that never comes to poll: twice a measured cold start, within bounds. */
export function wakeForMs(coldStartMs: number | undefined): number {
  if (coldStartMs === undefined) return LONGEST_WAKE_MS;
  return Math.min(LONGEST_WAKE_MS, Math.max(SHORTEST_WAKE_MS, 2 * coldStartMs));
}

/**
 * Up to when every claim has had a polling pod. One number is enough, because
 * a pod that polls serves all claims made before. It never falls: a run that
 * has had its pod holds none any more, however long it sleeps or waits.
 */
export function servedThrough(beforeMs: number, livePods: readonly PodMemory[], nowMs: number): number {
  const limitMs = nowMs - SERVED_AFTER_MS;
  const isServed = livePods.some(({ pollingSinceMs }) => pollingSinceMs !== undefined && pollingSinceMs <= limitMs);
  return isServed ? Math.max(beforeMs, limitMs) : beforeMs;
}

/** Claims that ask for a pod, and those that asked for one in vain until their time was over. */
export function sortClaims(
  claims: readonly Claim[],
  servedThroughMs: number,
  coldStartMs: number | undefined,
  nowMs: number,
): { readonly open: number; readonly expired: number } {
  const unserved = claims.filter(({ startedAtMs }) => startedAtMs > servedThroughMs);
  const open = unserved.filter(({ startedAtMs }) => nowMs - startedAtMs < wakeForMs(coldStartMs)).length;
  return { open, expired: unserved.length - open };
}
