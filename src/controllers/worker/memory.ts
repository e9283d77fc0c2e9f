import { SERVED_AFTER_MS } from './claims.ts';
import { emptyWindow, type Window } from './window.ts';

/** What is known of one worker process from its beats; times by our clock. */
export interface BeatMemory {
  readonly beatAtMs: number;
  /** When we first saw this beat. */
  readonly seenAtMs: number;
  /** Longest plausible time between two beats; undefined before the second. */
  readonly intervalMs?: number | undefined;
  readonly processed: number;
  /** Beats in a row without a used slot and without a task processed in between. */
  readonly quietBeats: number;
}

/** What is known of one pod; times by our clock. */
export interface PodMemory {
  readonly firstSeenMs: number;
  /** Whether it was first seen before it polled: only then do we know how long its start took. */
  readonly isBornHere: boolean;
  readonly pollingSinceMs?: number | undefined;
  readonly terminatingSinceMs?: number | undefined;
  /** Since when its worker container runs. */
  readonly runningSinceMs?: number | undefined;
  readonly idleSinceMs?: number | undefined;
  /** When we last saw a new beat of any of its workers. */
  readonly lastBeatMs?: number | undefined;
  readonly workers: ReadonlyMap<string, BeatMemory>;
}

/** How fast a queue's workers work, from their beats. */
export interface Throughput {
  readonly atMs: number;
  /** Slots in use times time, and tasks processed, both fading so that the last minutes count. */
  readonly busySlotMs: number;
  readonly processed: number;
  /** Tasks started since this memory began; only differences mean something. */
  readonly started: number;
  /** The counters at the last look, by worker. */
  readonly counters: ReadonlyMap<string, { readonly processed: number; readonly started: number }>;
}

/** The last statistic of the queue: the server computes one at most every 5 s. */
export interface Statistic {
  readonly waiting: number;
  readonly computedAtMs: number;
  /** `Throughput.started` at that time. */
  readonly started: number;
}

/** A step down whose victims are still to be looked at. */
export interface ScaleIn {
  readonly atMs: number;
  readonly size: number;
  readonly idle: readonly string[];
  readonly others: readonly string[];
}

/**
 * Everything the scaler remembers of a pool between two passes. A new
 * operator begins with none of it, which costs one `scaleDownDelay`.
 */
export interface ScalingMemory {
  readonly window: Window;
  /** Sizes of the last seconds, oldest first: bounds how fast a pool grows. */
  readonly sizes: readonly { readonly atMs: number; readonly replicas: number }[];
  readonly pods: ReadonlyMap<string, PodMemory>;
  readonly throughput?: Throughput | undefined;
  readonly statistic?: Statistic | undefined;
  /** Claims that were made up to here have had a polling pod. */
  readonly servedThroughMs: number;
  /** How long the last pod took from its creation to its first poll. */
  readonly coldStartMs?: number | undefined;
  /** Since when our watch shows the deletion costs that the next step down needs. */
  readonly guardedSinceMs?: number | undefined;
  readonly scaleIn?: ScaleIn | undefined;
  /** Busy pods that went although idle ones were there. */
  readonly misses: number;
  /** Whether pods stop polling when they are told to stop; undefined before one was seen to. */
  readonly drains?: boolean | undefined;
  /** Since when Temporal has not answered. */
  readonly awaySinceMs?: number | undefined;
}

/**
 * The memory of an operator that has just begun to look. What was started
 * before shows in the figures of the queue, if it waits: a run that has slept
 * since holds no pod.
 */
export function newMemory(nowMs: number): ScalingMemory {
  return {
    window: emptyWindow(nowMs),
    sizes: [],
    pods: new Map(),
    servedThroughMs: nowMs - SERVED_AFTER_MS,
    misses: 0,
  };
}
