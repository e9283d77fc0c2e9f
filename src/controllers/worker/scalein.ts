import type { PodActivity } from './idle.ts';
import type { ScaleIn } from './memory.ts';

/** After our watch shows a deletion cost, the controller manager's will within this time. */
const CAUGHT_UP_MS = 1_000;
/** Victims of a step down that are not gone by now belong to another story. */
const VERIFY_MS = 30_000;

/** The pool, and how far it may shrink. */
export interface Surplus {
  readonly current: number;
  /** Size to which idle pods may go. */
  readonly idleFloor: number;
  /** Size to which pods of which nothing is known may go, one at a time. */
  readonly blindFloor: number;
  /** Pods that are not being deleted. */
  readonly live: readonly PodActivity[];
  readonly terminating: number;
  /** Activities that Temporal says are running on this queue; undefined: not asked. */
  readonly startedActivities?: number | undefined;
  /** An earlier step whose victims are not all gone. */
  readonly pending?: ScaleIn | undefined;
}

/** What to do about a surplus. */
export type Retreat =
  | { readonly type: 'none' }
  /** Not now. */
  | { readonly type: 'hold'; readonly because: string }
  /** Mark busy pods first, so that Kubernetes will not choose them. */
  | { readonly type: 'guard' }
  /** Ask Temporal whether an activity runs on the queue: nothing else forbids zero. */
  | { readonly type: 'prove' }
  /** `candidates`: the pods that may go. */
  | { readonly type: 'shrink'; readonly to: number; readonly candidates: readonly string[] };

/** The pods that may go, the size that leaves, and whether Kubernetes would choose just them. */
export interface Exits {
  readonly candidates: readonly PodActivity[];
  readonly to: number;
  /** The marks on the pods as our watch shows them. */
  readonly marks: 'unneeded' | 'shown' | 'missing';
}

/** Idle pods all at once; where there is none, one of those of which nothing is known. */
export function exitsOf(surplus: Surplus): Exits {
  const { live, current, idleFloor, blindFloor, terminating } = surplus;
  const idle = live.filter(isIdle);
  if (idle.length > 0 || live.length < current) {
    return withMarks(surplus, idle, Math.max(idleFloor, live.length - idle.length));
  }
  const unknown = terminating === 0 ? live.filter(({ state }) => state === 'unknown') : [];
  return withMarks(surplus, unknown, unknown.length === 0 ? current : Math.max(blindFloor, current - 1));
}

/** One that is not ready and tells nothing is as good as idle: Kubernetes takes it before any other anyway. */
function isIdle({ pod, state }: PodActivity): boolean {
  return state === 'idle' || (state === 'unknown' && !pod.isReady);
}

function withMarks({ live, current }: Surplus, candidates: readonly PodActivity[], to: number): Exits {
  if (to >= current || live.length <= to || candidates.length === live.length) {
    return { candidates, to, marks: 'unneeded' };
  }
  const areShown = live.every((one) => one.pod.isGuarded !== candidates.includes(one));
  return { candidates, to, marks: areShown ? 'shown' : 'missing' };
}

/**
 * The next step towards a smaller pool. Kubernetes chooses the victims, by
 * deletion cost, within one ReplicaSet only, and those not ready first; so a
 * step is taken only where that choice cannot fall on a pod that works.
 * `guardedSinceMs`: since when the marks have been shown.
 */
export function retreat(surplus: Surplus, exits: Exits, guardedSinceMs: number | undefined, nowMs: number): Retreat {
  if (Math.min(surplus.idleFloor, surplus.blindFloor) >= surplus.current) return { type: 'none' };
  const objection = whyNotNow(surplus, exits);
  if (objection !== undefined) return hold(objection);
  if (exits.marks === 'missing') return { type: 'guard' };
  if (exits.marks === 'shown' && nowMs - (guardedSinceMs ?? nowMs) < CAUGHT_UP_MS) {
    return hold('the deletion costs are on their way');
  }
  const { to, candidates } = exits;
  if (to > 0 || surplus.startedActivities === 0) {
    return { type: 'shrink', to, candidates: candidates.map(({ pod }) => pod.name) };
  }
  return surplus.startedActivities === undefined ? { type: 'prove' } : hold('an activity is still running');
}

const hold = (because: string): Retreat => ({ type: 'hold', because });

function whyNotNow({ live, current, pending }: Surplus, { candidates, to }: Exits): string | undefined {
  const underWay = 'an earlier step down is still under way';
  if (pending) return underWay;
  // Whoever is chosen, no work is hit; and a rollout that cannot proceed must not keep an idle pool for ever.
  if (to < current && live.every(isIdle)) return undefined;
  if (live.length > current) return underWay;
  if (to >= current) return 'the pods are busy, or not known to be idle';
  if (live.length <= to) return undefined;
  if (new Set(live.map(({ pod }) => pod.replicaSet)).size > 1) return 'a rollout is under way';
  const unready = live.find((one) => !one.pod.isReady && !candidates.includes(one));
  return unready && `pod ${unready.pod.name} is not ready, and would be taken first`;
}

/** Looks at whom an earlier step down took: undefined `pending` once that is settled, and how many were busy. */
export function verify(
  pending: ScaleIn,
  live: ReadonlySet<string>,
  nowMs: number,
): { readonly pending?: ScaleIn; readonly misses: number } {
  const gone = (names: readonly string[]) => names.filter((name) => !live.has(name)).length;
  const idleGone = gone(pending.idle);
  const othersGone = gone(pending.others);
  if (idleGone + othersGone < pending.size && nowMs - pending.atMs < VERIFY_MS) return { pending, misses: 0 };
  return { misses: Math.max(0, Math.min(othersGone, pending.size - idleGone)) };
}
