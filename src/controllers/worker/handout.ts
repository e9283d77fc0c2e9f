/** One Worker among those that share a task queue, as the others see it. */
export interface QueueMember {
  /** `<namespace>/<name>`: decides who is served first. */
  readonly key: string;
  /** Slots that nothing uses, of pods that live or start. */
  readonly freeSlots: number;
  /** Slots by which it may still grow; 0 for one that does not follow the queue. */
  readonly roomSlots: number;
  /** Whether pods of it find no node, do not start or cannot be made: what it could serve, others should. */
  readonly isBlocked: boolean;
  readonly replicas: number;
  /** Slots wanted for each waiting task, above 0 and at most 1: short tasks can share one. */
  readonly slotsPerTask: number;
}

/** Divisions leave crumbs, and a crumb must not become a pod. */
const ROUNDING = 1e-9;

/** The order in which Workers on one queue are served. */
function inOrder(members: readonly QueueMember[]): QueueMember[] {
  return [...members].sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
}

/**
 * Slots that each Worker should have for the tasks that wait: first those that
 * are free, then by growing, those that are blocked last. Together they
 * are never more than the queue needs; what nobody has room for is the first
 * one's to report.
 */
export function handOut(waiting: number, members: readonly QueueMember[]): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  const ordered = inOrder(members);
  let left = waiting;
  const serve = (member: QueueMember, slots: number) => {
    const taken = Math.min(slots, Math.max(0, Math.ceil(left * member.slotsPerTask - ROUNDING)));
    shares.set(member.key, (shares.get(member.key) ?? 0) + taken);
    left = Math.max(0, left - taken / member.slotsPerTask);
  };
  for (const member of ordered) serve(member, member.freeSlots);
  for (const member of ordered) if (!member.isBlocked) serve(member, member.roomSlots);
  for (const member of ordered) if (member.isBlocked) serve(member, member.roomSlots);
  const first = ordered.find(({ roomSlots }) => roomSlots > 0) ?? ordered[0];
  if (first) serve(first, Number.POSITIVE_INFINITY);
  return shares;
}

/** The Worker that keeps a pod for what is never divided: workflow tasks, and the last task that waits. */
export function hostOf(members: readonly QueueMember[]): string | undefined {
  const ordered = inOrder(members);
  const host =
    ordered.find(({ replicas, isBlocked }) => replicas > 0 && !isBlocked) ??
    ordered.find(({ roomSlots, isBlocked }) => roomSlots > 0 && !isBlocked) ??
    ordered[0];
  return host?.key;
}
