import type { WorkerSpec } from '../../api/worker.ts';
import { servedThrough, sortClaims } from './claims.ts';
import type { PoolFacts } from './decide.ts';
import type { Demand } from './desired.ts';
import { graceSeconds } from './environment.ts';
import { handOut, hostOf } from './handout.ts';
import { activityOf, beatsOf, rememberPod, type PodActivity } from './idle.ts';
import { memberOf, slotsPerPod, type Pool } from './member.ts';
import type { PodMemory, ScalingMemory } from './memory.ts';
import type { ObservedPod, ObservedQueue } from './observed.ts';
import { verify } from './scalein.ts';
import { meanServiceMs, observeThroughput, statisticOf, stillWaiting, sum } from './throughput.ts';

/** A pod that was told to stop says so within this time, or it does not know how. */
const STOPS_WITHIN_MS = 10_000;
/** A pod that is still there so long after its grace period hangs, most likely on a node that is lost: it may stay for ever. */
const GONE_WITHIN_MS = 60_000;

/** What the figures mean, once they are put together with what was known before. */
export interface Sensed {
  /** Pods that are not being deleted. */
  readonly live: readonly PodActivity[];
  /** Those that are, and will be gone before long. */
  readonly terminating: readonly ObservedPod[];
  /** Undefined while Temporal does not answer. */
  readonly demand?: Demand | undefined;
  /** Activity tasks that wait and were not started since the statistic was made. */
  readonly waiting: number;
  /** Runs that asked for a pod in vain until their time was over. */
  readonly expiredClaims: number;
  readonly memory: ScalingMemory;
}

/** Puts the figures together with the memory, and takes out what asks for pods. */
export function sense(spec: WorkerSpec, facts: PoolFacts, before: ScalingMemory, nowMs: number): Sensed {
  const { queue } = facts;
  const pods = rememberAll(facts, before, nowMs);
  const live = facts.pods.flatMap((pod) => {
    const known = pods.get(pod.name);
    return pod.isTerminating || !known ? [] : [activityOf(pod, known, queue, nowMs)];
  });
  const terminating = facts.pods.filter(({ isTerminating }) => isTerminating);
  const settled = verified(before, live, nowMs);
  const servedThroughMs = servedThrough(
    before.servedThroughMs,
    live.flatMap(({ pod }) => pods.get(pod.name) ?? []),
    nowMs,
  );
  const remembered: ScalingMemory = {
    ...before,
    ...settled,
    pods: withIdleTimes(pods, live, nowMs),
    servedThroughMs,
    coldStartMs: coldStartOf(before, pods) ?? before.coldStartMs,
    drains: drainsOf(terminating, pods, queue) ?? before.drains,
    awaySinceMs: queue ? undefined : (before.awaySinceMs ?? nowMs),
  };
  const claims = sortClaims(facts.claims, servedThroughMs, remembered.coldStartMs, nowMs);
  const seen = { live, terminating: stillGoing(spec, terminating, pods, nowMs), expiredClaims: claims.expired };
  if (!queue) return { ...seen, waiting: before.statistic?.waiting ?? 0, memory: remembered };
  return { ...seen, ...demandOf(spec, { ...facts, queue }, { live, claims: claims.open, memory: remembered }, nowMs) };
}

function rememberAll({ pods, queue }: PoolFacts, before: ScalingMemory, nowMs: number) {
  return new Map(pods.map((pod) => [pod.name, rememberPod(before.pods.get(pod.name), pod, queue, nowMs)]));
}

function verified(before: ScalingMemory, live: readonly PodActivity[], nowMs: number) {
  if (!before.scaleIn) return {};
  const { pending, misses } = verify(before.scaleIn, new Set(live.map(({ pod }) => pod.name)), nowMs);
  return { scaleIn: pending, misses: before.misses + misses };
}

function withIdleTimes(pods: ReadonlyMap<string, PodMemory>, live: readonly PodActivity[], nowMs: number) {
  const idle = new Set(live.flatMap(({ pod, state }) => (state === 'idle' ? [pod.name] : [])));
  const entries = [...pods].map(([name, pod]): [string, PodMemory] => [
    name,
    { ...pod, idleSinceMs: idle.has(name) ? (pod.idleSinceMs ?? nowMs) : undefined },
  ]);
  return new Map(entries);
}

/** The start of a pod that has just come to poll, from its creation on. */
function coldStartOf(before: ScalingMemory, pods: ReadonlyMap<string, PodMemory>): number | undefined {
  for (const [name, { isBornHere, firstSeenMs, pollingSinceMs }] of pods) {
    if (!isBornHere || pollingSinceMs === undefined) continue;
    if (before.pods.get(name)?.pollingSinceMs === undefined) return pollingSinceMs - firstSeenMs;
  }
  return undefined;
}

function stillGoing(
  spec: WorkerSpec,
  terminating: readonly ObservedPod[],
  pods: ReadonlyMap<string, PodMemory>,
  nowMs: number,
): readonly ObservedPod[] {
  const oldestMs = nowMs - graceSeconds(spec) * 1000 - GONE_WITHIN_MS;
  return terminating.filter(({ name }) => (pods.get(name)?.terminatingSinceMs ?? nowMs) >= oldestMs);
}

/** Whether pods that were told to stop do; undefined where none showed it either way. */
function drainsOf(
  terminating: readonly ObservedPod[],
  pods: ReadonlyMap<string, PodMemory>,
  queue: ObservedQueue | undefined,
): boolean | undefined {
  for (const pod of terminating) {
    const { terminatingSinceMs = 0, workers } = pods.get(pod.name) ?? {};
    const beats = beatsOf(pod, queue?.beats ?? []);
    if (beats.some(({ status }) => status === 'ShuttingDown')) return true;
    const lastSeenMs = Math.max(0, ...beats.map(({ instance }) => workers?.get(instance)?.seenAtMs ?? 0));
    if (lastSeenMs - terminatingSinceMs > STOPS_WITHIN_MS) return false;
  }
  return undefined;
}

interface Inputs {
  readonly live: readonly PodActivity[];
  readonly claims: number;
  readonly memory: ScalingMemory;
}

function demandOf(
  { scaling, taskQueue }: WorkerSpec,
  facts: PoolFacts & { readonly queue: ObservedQueue },
  { live, claims, memory }: Inputs,
  nowMs: number,
): Pick<Sensed, 'demand' | 'waiting' | 'memory'> {
  const { queue, key, isHindered } = facts;
  const onQueue = queue.beats.filter((beat) => beat.taskQueue === taskQueue);
  const throughput = observeThroughput(memory.throughput, onQueue, nowMs);
  const statistic = statisticOf(memory.statistic, queue.activities.waiting, queue.readAtMs, throughput.started);
  const waiting = stillWaiting(statistic, throughput.started);
  const pool: Pool = { key, scaling, replicas: facts.current, isHindered, pods: facts.pods };
  const serviceMs = meanServiceMs(throughput);
  const members = [memberOf(pool, taskQueue, queue, serviceMs), ...facts.peers(serviceMs)];
  const isAnythingWaiting = queue.activities.waiting + queue.workflows.waiting > 0;
  const slots = slotsPerPod(pool, taskQueue, queue);
  return {
    waiting,
    demand: {
      busySlots: sum(live, (pod) => busySlotsOf(pod, slots, waiting > 0)),
      share: handOut(waiting, members).get(key) ?? 0,
      slotsPerPod: slots,
      isHost: isAnythingWaiting && hostOf(members) === key,
      claims,
    },
    memory: { ...memory, throughput, statistic },
  };
}

/** A pod that takes tasks without saying how many is full as long as others wait. */
function busySlotsOf({ usedSlots, isBlind }: PodActivity, slots: number, doOthersWait: boolean): number {
  return isBlind && doOthersWait ? slots : Math.min(slots, usedSlots);
}
