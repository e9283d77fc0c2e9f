import { backoffMs, type BackoffBounds } from './backoff.ts';
import { Pace, type PaceBounds } from './pace.ts';

/** Why a key is in the queue; the first goes first. */
export type Priority = 'user' | 'completion' | 'resync';

const order: readonly Priority[] = ['user', 'completion', 'resync'];
/** Every so many turns the least urgent go first, so that nobody starves. */
const TURN_OF_THE_LAST = 8;

interface Waiting {
  /** By the monotonic clock: a change of the wall clock must neither delay nor hurry anything. */
  readonly dueAt: number;
  readonly priority: Priority;
}

const defaultBackoff: BackoffBounds = { baseMs: 100, maxMs: 60_000 };
/** When thousands of keys fail together (a server is away), they shall not all knock on its door again at once. */
const defaultRetries: PaceBounds = { perSecond: 100, burst: 200 };

/** What a queue can be told. */
export interface WorkQueueOptions {
  readonly backoff?: BackoffBounds;
  /** Keys that come back after a failure, all keys together; those that are added for another reason do not wait. */
  readonly retries?: PaceBounds;
  /** For metrics: how long a key that was due has waited for its turn. */
  readonly onTaken?: (priority: Priority, waitedMs: number) => void;
}

/**
 * Keys whose resources are to be looked at. A key is in it once, however often
 * it was added, and is never held by two workers at once: one that is added
 * while it is held comes back when it is done.
 */
export class WorkQueue {
  private readonly options: WorkQueueOptions;
  private readonly ready = new Map<Priority, Map<string, number>>(order.map((priority) => [priority, new Map()]));
  private readonly delayed = new Map<string, Waiting & { readonly timer: NodeJS.Timeout }>();
  private readonly held = new Map<string, Waiting | undefined>();
  private readonly failures = new Map<string, number>();
  private readonly takers = new Set<() => void>();
  private readonly pace: Pace;
  private turns = 0;
  private isClosed = false;

  constructor(options: WorkQueueOptions = {}) {
    this.options = options;
    this.pace = new Pace(options.retries ?? defaultRetries);
  }

  /** Keys that are due and wait for a worker. */
  get depth(): number {
    return order.reduce((sum, priority) => sum + this.readyOf(priority).size, 0);
  }

  /** Makes a key due in `afterMs`, or sooner if it is already; at the more urgent of both priorities. */
  add(key: string, priority: Priority, afterMs = 0): void {
    if (this.isClosed) return;
    const wanted = { dueAt: performance.now() + afterMs, priority };
    if (this.held.has(key)) this.held.set(key, merged(this.held.get(key), wanted));
    else this.schedule(key, merged(this.waitingOf(key), wanted));
  }

  /** The next key that is due, once there is one; undefined when the queue is closed. Give it back by `done` or `retry`. */
  async take(): Promise<string | undefined> {
    for (;;) {
      if (this.isClosed) return undefined;
      const key = this.next();
      if (key !== undefined) return key;
      await new Promise<void>((resolve) => this.takers.add(resolve));
    }
  }

  /** The key was dealt with; its failures are forgotten. */
  done(key: string): void {
    this.failures.delete(key);
    this.release(key);
  }

  /** The key was not dealt with: it is due again after a time that doubles with every failure in a row, at a bounded rate for all keys. */
  retry(key: string, backoff: BackoffBounds = this.options.backoff ?? defaultBackoff): void {
    const failures = (this.failures.get(key) ?? 0) + 1;
    this.failures.set(key, failures);
    this.add(key, 'resync', Math.max(backoffMs(failures, backoff), this.pace.nextInMs()));
    this.release(key);
  }

  /** Nobody gets a key any more. */
  close(): void {
    this.isClosed = true;
    for (const { timer } of this.delayed.values()) clearTimeout(timer);
    this.delayed.clear();
    this.wakeAll();
  }

  private release(key: string): void {
    const again = this.held.get(key);
    this.held.delete(key);
    if (again && !this.isClosed) this.schedule(key, again);
  }

  private schedule(key: string, waiting: Waiting): void {
    this.remove(key);
    const inMs = waiting.dueAt - performance.now();
    if (inMs <= 0) {
      this.makeReady(key, waiting);
      return;
    }
    // Longer ones would overflow the timer and fire at once.
    const timer = setTimeout(() => this.schedule(key, waiting), Math.min(inMs, 2 ** 31 - 1));
    this.delayed.set(key, { ...waiting, timer });
  }

  private makeReady(key: string, { priority, dueAt }: Waiting): void {
    this.readyOf(priority).set(key, dueAt);
    const [taker] = this.takers;
    if (!taker) return;
    this.takers.delete(taker);
    taker();
  }

  private next(): string | undefined {
    const isTurnOfTheLast = this.turns % TURN_OF_THE_LAST === TURN_OF_THE_LAST - 1;
    for (const priority of isTurnOfTheLast ? order.toReversed() : order) {
      const ready = this.readyOf(priority);
      const [first] = ready;
      if (!first) continue;
      const [key, dueAt] = first;
      ready.delete(key);
      this.turns += 1;
      this.held.set(key, undefined);
      this.options.onTaken?.(priority, performance.now() - dueAt);
      return key;
    }
    return undefined;
  }

  private waitingOf(key: string): Waiting | undefined {
    const delayed = this.delayed.get(key);
    if (delayed) return delayed;
    for (const priority of order) {
      const dueAt = this.readyOf(priority).get(key);
      if (dueAt !== undefined) return { dueAt, priority };
    }
    return undefined;
  }

  private remove(key: string): void {
    clearTimeout(this.delayed.get(key)?.timer);
    this.delayed.delete(key);
    for (const priority of order) this.readyOf(priority).delete(key);
  }

  private wakeAll(): void {
    for (const taker of this.takers) taker();
    this.takers.clear();
  }

  private readyOf(priority: Priority): Map<string, number> {
    return this.ready.get(priority) ?? new Map<string, number>();
  }
}

function merged(one: Waiting | undefined, other: Waiting): Waiting {
  if (!one) return other;
  const priority = order.indexOf(one.priority) < order.indexOf(other.priority) ? one.priority : other.priority;
  return { dueAt: Math.min(one.dueAt, other.dueAt), priority };
}
