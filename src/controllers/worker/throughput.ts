import type { Statistic, Throughput } from './memory.ts';
import type { Beat } from './observed.ts';

/** What happened that long ago counts half. */
const HALF_LIFE_MS = 120_000;
/** Slots looked at more rarely than this say little about what happened in between. */
const COARSE_MS = 10_000;
/** For so long the server hands out one and the same statistic of a queue. */
const STATISTIC_MS = 5_000;
/** Longest time between two beats that an SDK allows. */
export const SLOWEST_BEAT_MS = 60_000;

/** The throughput of a queue after one more look at all of its workers. */
export function observeThroughput(before: Throughput | undefined, beats: readonly Beat[], nowMs: number): Throughput {
  const counters = new Map(beats.map((beat) => [beat.instance, countersOf(beat)]));
  if (!before) return { atMs: nowMs, busySlotMs: 0, processed: 0, started: 0, counters };
  const sinceMs = nowMs - before.atMs;
  const fading = 0.5 ** (sinceMs / HALF_LIFE_MS);
  const isCoarse = sinceMs > COARSE_MS;
  const usedSlots = sum(beats, (beat) => beat.usedSlots);
  const processed = growth(before, beats, sinceMs, 'processed');
  return {
    atMs: nowMs,
    busySlotMs: before.busySlotMs * fading + (isCoarse ? 0 : usedSlots * sinceMs),
    processed: before.processed * fading + (isCoarse ? 0 : processed),
    started: before.started + growth(before, beats, sinceMs, 'started'),
    counters,
  };
}

/** Mean time that a task holds a slot, in milliseconds; undefined while too few tasks have ended to say. */
export function meanServiceMs({ busySlotMs, processed }: Throughput): number | undefined {
  return processed < 0.5 ? undefined : Math.max(1, busySlotMs / processed);
}

/** The statistic that a figure belongs to: a figure that did not change may still be a new one. */
export function statisticOf(
  before: Statistic | undefined,
  waiting: number,
  readAtMs: number,
  started: number,
): Statistic {
  const isSame = before?.waiting === waiting && readAtMs - before.computedAtMs < STATISTIC_MS;
  return isSame ? before : { waiting, computedAtMs: readAtMs, started };
}

/** Tasks that still wait: those of the statistic, less what was started since it was computed. */
export function stillWaiting(statistic: Statistic, started: number): number {
  return Math.max(0, statistic.waiting - (started - statistic.started));
}

const countersOf = (beat: Beat) => ({
  processed: beat.processedActivities,
  started: beat.processedActivities + beat.usedSlots,
});

/** By how much a counter grew over all workers. One that is older than our last look, and yet unknown, says nothing. */
function growth(before: Throughput, beats: readonly Beat[], sinceMs: number, counter: 'processed' | 'started'): number {
  return sum(beats, (beat) => {
    const now = countersOf(beat)[counter];
    const then = before.counters.get(beat.instance)?.[counter];
    if (then !== undefined) return Math.max(0, now - then);
    return beat.beatAtMs - beat.startedAtMs <= sinceMs + SLOWEST_BEAT_MS ? now : 0;
  });
}

/** The sum of a number over a list. */
export function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
