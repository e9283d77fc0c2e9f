import { durationMs } from '../../api/duration.ts';
import type { Scaling, WorkerSpec } from '../../api/worker.ts';
import { STATISTIC_AGE_MS, stepUp, targetOf, type Size } from './desired.ts';
import { marksToChange, type Mark } from './guard.ts';
import type { QueueMember } from './handout.ts';
import type { PodActivity } from './idle.ts';
import type { ScaleIn, ScalingMemory } from './memory.ts';
import type { Claim, ObservedPod, ObservedQueue } from './observed.ts';
import { explain } from './explain.ts';
import { exitsOf, retreat, type Exits, type Retreat, type Surplus } from './scalein.ts';
import { sense, type Sensed } from './sense.ts';
import { highest, seen } from './window.ts';

/** Temporal must have been away for so long before anything is done about it. */
export const AWAY_MS = 15_000;

/** What the decision about a pool's size is made from. */
export interface PoolFacts {
  /** `<namespace>/<name>` of the Worker. */
  readonly key: string;
  /** Of the Deployment; 0 where there is none yet. */
  readonly current: number;
  /** Whether the Deployment cannot create pods, or makes no progress with them. */
  readonly isHindered: boolean;
  readonly pods: readonly ObservedPod[];
  /** Undefined while Temporal does not answer. */
  readonly queue?: ObservedQueue | undefined;
  /** The other Workers on this queue. */
  readonly peers: (serviceMs: number | undefined) => readonly QueueMember[];
  readonly claims: readonly Claim[];
  /** Whether the pool has left the mode Backlog and nobody has asked for a size since. */
  readonly isSizeKept: boolean;
  /** Activities that run on the queue, as Temporal's runs say; undefined: not asked. */
  readonly startedActivities?: number | undefined;
}

/** The size a pool should have now, and why. */
export interface Decision extends Sensed {
  /** What is wanted, within the limits. */
  readonly target: number;
  /** The size to ask for in this pass. */
  readonly replicas: number;
  readonly retreating: Retreat;
  readonly marks: readonly Mark[];
  /** For `status.scaleReason`. */
  readonly reason: string;
  readonly memory: ScalingMemory;
}

/** Decides the size of a pool. Pure: `memory` goes in, and comes out in the decision. */
export function decide(spec: WorkerSpec, facts: PoolFacts, before: ScalingMemory, nowMs: number): Decision {
  const sensed = sense(spec, facts, { ...before, sizes: sizesOf(before, facts.current, nowMs) }, nowMs);
  const target = wanted(spec, facts, sensed, nowMs);
  const delayMs = durationMs(spec.scaling.scaleDownDelay);
  const window = seen(sensed.memory.window, target, nowMs, delayMs);
  const surplus = surplusOf(spec, facts, sensed, { target, lately: highest(window, nowMs, delayMs) });
  const exits = exitsOf(surplus);
  const guardedSinceMs = exits.marks === 'shown' ? (before.guardedSinceMs ?? nowMs) : undefined;
  const retreating = retreat(surplus, exits, guardedSinceMs, nowMs);
  const outcome = { target, retreating, replicas: sizeOf(spec, facts, sensed, { target, retreating }) };
  const scaleIn = scaleInOf(sensed, retreating, nowMs) ?? sensed.memory.scaleIn;
  return {
    ...sensed,
    ...outcome,
    marks: marksToChange(sensed.live, sensed.memory.pods, strictly(exits), nowMs),
    reason: explain(spec, facts, sensed, outcome),
    memory: { ...sensed.memory, window, guardedSinceMs, scaleIn },
  };
}

/** The size that is wanted, before any caution about getting there. */
function wanted(
  { scaling, replicas }: WorkerSpec,
  facts: PoolFacts,
  { demand, memory }: Sensed,
  nowMs: number,
): number {
  if (scaling.mode !== 'Backlog') return facts.isSizeKept ? facts.current : replicas;
  if (demand) return targetOf(scaling, demand);
  const isAway = nowMs - (memory.awaySinceMs ?? nowMs) >= AWAY_MS;
  return isAway ? fallbackOf(scaling, facts.current) : within(scaling, facts.current);
}

/** The size of a pool that Temporal says nothing to. */
export function fallbackOf(scaling: Scaling, current: number): number {
  return within(scaling, scaling.fallbackReplicas ?? current);
}

const within = ({ min, max }: Scaling, size: number) => Math.min(max, Math.max(min, size));

function surplusOf(
  { scaling }: WorkerSpec,
  facts: PoolFacts,
  { live, terminating, demand, memory }: Sensed,
  sizes: { readonly target: number; readonly lately: number | undefined },
): Surplus {
  const { current } = facts;
  const lately = Math.max(sizes.target, sizes.lately ?? current);
  // Somebody else's decision is not questioned; our own waits until nothing more was needed for long enough.
  const patient = scaling.mode === 'Backlog' ? Math.min(lately, Math.max(scaling.max, sizes.target)) : sizes.target;
  return {
    current,
    idleFloor: Math.min(current, demand ? patient : lately),
    blindFloor: Math.min(current, lately),
    live,
    terminating: terminating.length,
    // Whoever scales a pool to zero by hand, or wants none while Temporal is away, means it: there is nobody to ask then.
    startedActivities: scaling.mode === 'Backlog' && demand ? facts.startedActivities : 0,
    pending: memory.scaleIn,
  };
}

function sizeOf(
  { scaling }: WorkerSpec,
  facts: PoolFacts,
  { live, memory }: Sensed,
  { target, retreating }: { readonly target: number; readonly retreating: Retreat },
): number {
  if (retreating.type === 'shrink') return retreating.to;
  const { current } = facts;
  if (target <= current) return current;
  if (scaling.mode !== 'Backlog') return target;
  return stepUp(scaling, target, sizeNow(facts, live, memory), facts.queue?.isRateLimited ?? false);
}

function sizeNow({ current }: PoolFacts, live: readonly PodActivity[], memory: ScalingMemory): Size {
  return {
    current,
    ready: live.filter(({ pod }) => pod.isReady).length,
    recent: Math.min(...memory.sizes.map(({ replicas }) => replicas)),
  };
}

function sizesOf({ sizes }: ScalingMemory, current: number, nowMs: number): ScalingMemory['sizes'] {
  return [...sizes.filter(({ atMs }) => atMs > nowMs - STATISTIC_AGE_MS), { atMs: nowMs, replicas: current }];
}

/** With a step down due, or its marks, all marks must be exact. */
function strictly({ candidates, marks }: Exits): ReadonlySet<string> | undefined {
  return marks === 'unneeded' ? undefined : new Set(candidates.map(({ pod }) => pod.name));
}

/** What to look for once a step down has been taken. */
function scaleInOf({ live }: Sensed, retreating: Retreat, nowMs: number): ScaleIn | undefined {
  if (retreating.type !== 'shrink' || live.length <= retreating.to) return undefined;
  const { candidates, to } = retreating;
  const names = live.map(({ pod }) => pod.name);
  return {
    atMs: nowMs,
    size: live.length - to,
    idle: names.filter((name) => candidates.includes(name)),
    others: names.filter((name) => !candidates.includes(name)),
  };
}
