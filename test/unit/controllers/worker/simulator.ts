import type { Scaling } from '../../../../src/api/worker.ts';
import { decide } from '../../../../src/controllers/worker/decide.ts';
import { newMemory, type ScalingMemory } from '../../../../src/controllers/worker/memory.ts';
import type { Beat, ObservedPod } from '../../../../src/controllers/worker/observed.ts';
import { aBeat, aPod, aQueue, aWorker, facts } from '../../../builders/worker.ts';

/** What is played: Poisson arrivals of constant rate, tasks of exponential length. */
export interface Load {
  readonly seed: number;
  readonly arrivalsPerSecond: number;
  readonly meanTaskSeconds: number;
  readonly coldStartSeconds: number;
  readonly scaling: Partial<Scaling>;
}

/** What came of it. */
export interface Played {
  /** Size after each second. */
  readonly sizes: readonly number[];
  /** Tasks whose pod was taken from them. */
  readonly lost: number;
  readonly done: number;
  /** Longest time that a task waited, in seconds. */
  readonly longestWaitSeconds: number;
  readonly misses: number;
}

interface Pod {
  readonly name: string;
  readonly startsAt: number;
  isGuarded: boolean;
  /** When its slot is free again. */
  freeAt: number;
  processed: number;
}

interface World {
  readonly load: Load;
  readonly random: () => number;
  pods: Pod[];
  /** When the waiting tasks arrived. */
  waiting: number[];
  nextArrival: number;
  statistic: { readonly at: number; readonly waiting: number };
  born: number;
  done: number;
  lost: number;
  longestWaitSeconds: number;
}

/** The statistic of a queue is computed when it is asked for and the last one is that old. */
const STATISTIC_SECONDS = 5;

/** Plays a pool of one-slot pods second by second against `decide`, with beats every second and a cached backlog. */
export function play(load: Load, seconds: number): Played {
  const { spec } = aWorker({ scaling: load.scaling });
  const world = worldOf(load);
  const sizes: number[] = [];
  let memory: ScalingMemory = newMemory(0);
  for (let now = 0; now < seconds; now++) {
    arrive(world, now);
    for (const pod of world.pods) work(world, pod, now);
    const decision = decide(spec, factsOf(world, now), memory, now * 1000);
    ({ memory } = decision);
    for (const { pod: name, isBusy } of decision.marks) world.pods.find((pod) => pod.name === name)!.isGuarded = isBusy;
    resize(world, decision.replicas, now);
    sizes.push(decision.replicas);
  }
  const { lost, done, longestWaitSeconds } = world;
  return { sizes, lost, done, longestWaitSeconds, misses: memory.misses };
}

function worldOf(load: Load): World {
  const random = randomOf(load.seed);
  return {
    ...{ load, random, pods: [], waiting: [] },
    nextArrival: exponential(random, 1 / load.arrivalsPerSecond),
    statistic: { at: -STATISTIC_SECONDS, waiting: 0 },
    ...{ born: 0, done: 0, lost: 0, longestWaitSeconds: 0 },
  };
}

function arrive(world: World, now: number): void {
  for (; world.nextArrival <= now; world.nextArrival += exponential(world.random, 1 / world.load.arrivalsPerSecond)) {
    world.waiting.push(world.nextArrival);
  }
}

/** Takes tasks for as long as its slot is free within this second. */
function work(world: World, pod: Pod, now: number): void {
  if (pod.startsAt > now) return;
  while (pod.freeAt <= now && world.waiting.length > 0) {
    const arrivedAt = world.waiting.shift()!;
    const beginsAt = Math.max(arrivedAt, pod.freeAt, now - 1);
    world.longestWaitSeconds = Math.max(world.longestWaitSeconds, beginsAt - arrivedAt);
    pod.freeAt = beginsAt + exponential(world.random, world.load.meanTaskSeconds);
    pod.processed++;
    world.done++;
  }
}

/** As the controller manager does: pods without a process go first, then by deletion cost, then at random. */
function resize(world: World, replicas: number, now: number): void {
  const ranked = world.pods
    .map((pod) => ({ pod, rank: Number(pod.startsAt <= now) * 2 + Number(pod.isGuarded) + world.random() / 2 }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ pod }) => pod);
  world.pods = ranked.slice(0, replicas);
  world.lost += ranked.slice(replicas).filter(({ freeAt }) => freeAt > now).length;
  while (world.pods.length < replicas) {
    const startsAt = now + world.load.coldStartSeconds;
    world.pods.push({ name: `p${world.born++}`, startsAt, isGuarded: false, freeAt: startsAt, processed: 0 });
  }
}

/** How often the size changed its direction between `from` and the end. */
export function turns(sizes: readonly number[], from: number): number {
  const steps = sizes
    .slice(from)
    .map((size, index, all) => Math.sign(size - (all[index - 1] ?? size)))
    .filter((step) => step !== 0);
  return steps.filter((step, index) => index > 0 && step !== steps[index - 1]).length;
}

/** The shortest time between a step up and a step down after it, in seconds; infinite where there is none. */
export function shortestStay(sizes: readonly number[]): number {
  let grownAt = Number.NEGATIVE_INFINITY;
  let shortest = Number.POSITIVE_INFINITY;
  for (const [second, size] of sizes.entries()) {
    const before = sizes[second - 1] ?? size;
    if (size > before) grownAt = second;
    if (size < before) shortest = Math.min(shortest, second - grownAt);
  }
  return shortest;
}

function factsOf(world: World, now: number) {
  const { pods } = world;
  if (now - world.statistic.at >= STATISTIC_SECONDS) world.statistic = { at: now, waiting: world.waiting.length };
  const up = pods.filter(({ startsAt }) => startsAt <= now);
  return facts({
    current: pods.length,
    pods: pods.map((pod): ObservedPod => {
      const isUp = pod.startsAt <= now;
      return aPod(pod.name, { isReady: isUp, hasProcess: isUp, isGuarded: pod.isGuarded });
    }),
    queue: aQueue({
      readAtMs: now * 1000,
      waiting: world.statistic.waiting,
      beats: up.map((pod) => beatOf(pod, now)),
    }),
    startedActivities: up.filter(({ freeAt }) => freeAt > now).length,
  });
}

function beatOf({ name, startsAt, freeAt, processed }: Pod, now: number): Beat {
  const usedSlots = Number(freeAt > now);
  return aBeat(name, {
    beatAtMs: now * 1000,
    startedAtMs: startsAt * 1000,
    usedSlots,
    processed: processed - usedSlots,
    processedActivities: processed - usedSlots,
  });
}

function exponential(random: () => number, mean: number): number {
  return -Math.log(1 - random()) * mean;
}

/** Mulberry32: small, and the same everywhere for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
