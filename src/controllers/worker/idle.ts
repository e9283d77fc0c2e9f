import type { BeatMemory, PodMemory } from './memory.ts';
import type { Beat, ObservedPod, ObservedQueue } from './observed.ts';
import { SLOWEST_BEAT_MS, sum } from './throughput.ts';

/** With slower beats a pod may have taken work since its last one: whether it is idle cannot be known. */
export const SLOW_BEAT_MS = 5_000;
/** A pod that ran silently for so long will not tell us any more; an SDK beats at least every 60 s, or never. */
const SILENT_MS = 90_000;
/** Our own reading, and the way of a beat to the server, take time. */
const SLACK_MS = 2_000;

/** What a pod does, as far as its workers tell. */
export interface PodActivity {
  readonly pod: ObservedPod;
  /** `unknown`: its workers do not tell, or too rarely. */
  readonly state: 'busy' | 'idle' | 'unknown';
  /** Slots in use on all queues it serves; workflow tasks not counted, for they end at once. */
  readonly usedSlots: number;
  /** Slots on this queue; undefined where it does not say. */
  readonly totalSlots?: number | undefined;
  /** Whether it takes tasks without our knowing how many. */
  readonly isBlind: boolean;
}

/** The workers of a pod: those that give its name as host (every SDK by default), or as identity (the worker kits). */
export function beatsOf(pod: ObservedPod, beats: readonly Beat[]): Beat[] {
  return beats.filter(
    ({ hostName, identity, status }) => status !== 'ShutDown' && (hostName === pod.name || identity === pod.name),
  );
}

/** What to remember of a pod after one more look. `queue` is undefined while Temporal is away. */
export function rememberPod(
  before: PodMemory | undefined,
  pod: ObservedPod,
  queue: ObservedQueue | undefined,
  nowMs: number,
): PodMemory {
  const known = before ?? bornAt(nowMs);
  const workers = queue ? rememberBeats(known, beatsOf(pod, queue.beats), nowMs) : known.workers;
  const isPolling = queue !== undefined && (workers.size > 0 || isPolledBy(queue, pod));
  return {
    ...known,
    isBornHere: before?.isBornHere ?? (!pod.hasProcess && !isPolling),
    runningSinceMs: firstTime(pod.hasProcess, known.runningSinceMs, nowMs),
    pollingSinceMs: known.pollingSinceMs ?? firstTime(isPolling, undefined, nowMs),
    terminatingSinceMs: firstTime(pod.isTerminating, known.terminatingSinceMs, nowMs),
    lastBeatMs: latest([known.lastBeatMs ?? 0, ...[...workers.values()].map(({ seenAtMs }) => seenAtMs)]),
    workers,
  };
}

function bornAt(nowMs: number): PodMemory {
  return { firstSeenMs: nowMs, isBornHere: true, workers: new Map() };
}

/** Whether somebody who is this pod polled the queue lately; without a kit the identity is `<pid>@<host name>`. */
export function isPolledBy(queue: ObservedQueue, { name }: ObservedPod): boolean {
  return queue.pollers.some(({ identity }) => identity === name || identity.endsWith(`@${name}`));
}

/** Since when something has been so; undefined while it is not. */
function firstTime(isSo: boolean, beforeMs: number | undefined, nowMs: number): number | undefined {
  return isSo ? (beforeMs ?? nowMs) : undefined;
}

function latest(timesMs: readonly number[]): number | undefined {
  const last = Math.max(...timesMs);
  return last > 0 ? last : undefined;
}

function rememberBeats(before: PodMemory, beats: readonly Beat[], nowMs: number): Map<string, BeatMemory> {
  return new Map(beats.map((beat) => [beat.instance, rememberBeat(before.workers.get(beat.instance), beat, nowMs)]));
}

function rememberBeat(before: BeatMemory | undefined, beat: Beat, nowMs: number): BeatMemory {
  if (before?.beatAtMs === beat.beatAtMs) return before;
  const isUnused = beat.usedSlots + beat.usedWorkflowSlots === 0;
  const isQuiet = isUnused && before?.processed === beat.processed;
  return {
    beatAtMs: beat.beatAtMs,
    seenAtMs: nowMs,
    intervalMs: intervalOf(before, beat),
    processed: beat.processed,
    quietBeats: isQuiet ? before.quietBeats + 1 : Number(isUnused),
  };
}

/** As the worker says; else the shortest time that lay between two beats we saw, for we do not see all. */
function intervalOf(before: BeatMemory | undefined, beat: Beat): number | undefined {
  if (beat.intervalMs !== undefined && beat.intervalMs > 0) return beat.intervalMs;
  if (!before) return undefined;
  return Math.min(before.intervalMs ?? SLOWEST_BEAT_MS, beat.beatAtMs - before.beatAtMs);
}

/** What a pod does. Absent, stale and stopping count as busy: only two quiet beats in a row prove that it is idle. */
export function activityOf(
  pod: ObservedPod,
  memory: PodMemory,
  queue: ObservedQueue | undefined,
  nowMs: number,
): PodActivity {
  const beats = beatsOf(pod, queue?.beats ?? []).filter(({ instance }) => isFresh(memory.workers.get(instance), nowMs));
  return beats.length === 0 ? silent(pod, memory, nowMs) : talking(pod, memory, beats);
}

function isFresh(beat: BeatMemory | undefined, nowMs: number): boolean {
  if (!beat) return false;
  const intervalMs = Math.min(beat.intervalMs ?? SLOWEST_BEAT_MS, SLOWEST_BEAT_MS);
  return nowMs - beat.seenAtMs <= 3 * intervalMs + SLACK_MS;
}

function silent(pod: ObservedPod, memory: PodMemory, nowMs: number): PodActivity {
  if (!pod.hasProcess) return { pod, state: 'idle', usedSlots: 0, isBlind: false };
  const sinceMs = Math.max(memory.lastBeatMs ?? 0, memory.runningSinceMs ?? memory.firstSeenMs);
  return {
    pod,
    state: nowMs - sinceMs > SILENT_MS ? 'unknown' : 'busy',
    usedSlots: 0,
    isBlind: memory.pollingSinceMs !== undefined,
  };
}

function talking(pod: ObservedPod, memory: PodMemory, beats: readonly Beat[]): PodActivity {
  const remembered = beats.flatMap(({ instance }) => memory.workers.get(instance) ?? []);
  const isSlow = remembered.some(({ intervalMs }) => (intervalMs ?? 0) > SLOW_BEAT_MS);
  const isQuiet = remembered.every(({ quietBeats }) => quietBeats >= 2);
  const works = beats.some((beat) => beat.status !== 'Running' || beat.usedSlots + beat.usedWorkflowSlots > 0);
  const totalSlots = sum(beats, (beat) => beat.totalSlots ?? 0);
  return {
    pod,
    state: stateOf({ works, isSlow, isQuiet }),
    usedSlots: sum(beats, ({ usedSlots }) => usedSlots),
    ...(totalSlots > 0 && { totalSlots }),
    isBlind: isSlow,
  };
}

function stateOf(is: { readonly works: boolean; readonly isSlow: boolean; readonly isQuiet: boolean }) {
  if (is.works) return 'busy';
  if (is.isSlow) return 'unknown';
  return is.isQuiet ? 'idle' : 'busy';
}
