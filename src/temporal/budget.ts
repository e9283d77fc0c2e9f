import type { Budget, Priority } from './call.ts';

const order: readonly Priority[] = ['start', 'control', 'completion', 'statistics'];

/**
 * Queries a second. A server answers ten per Temporal namespace and frontend
 * unless told otherwise; the rest is for lists of workers, which it counts
 * among them, and for people.
 */
const QUERIES_PER_SECOND = 5;

/** The budget of one Temporal namespace that is called up to so many times a second. */
export function budgetOfNamespace(callsPerSecond: number): Budget {
  return new TokenBucket(callsPerSecond, new TokenBucket(Math.min(callsPerSecond, QUERIES_PER_SECOND)));
}

interface Waiting {
  readonly go: () => void;
}

/**
 * A token bucket for one Temporal namespace: at most `ratePerSecond` calls on
 * average and as many at once. Whoever is more urgent goes first; every fourth
 * token goes to the least urgent, so that nobody starves.
 */
export class TokenBucket implements Budget {
  readonly queries: Budget | undefined;
  private readonly ratePerSecond: number;
  private readonly queues = new Map<Priority, Set<Waiting>>(order.map((priority) => [priority, new Set()]));
  private tokens: number;
  private filledAt = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private served = 0;

  constructor(ratePerSecond: number, queries?: Budget) {
    this.ratePerSecond = ratePerSecond;
    this.queries = queries;
    this.tokens = ratePerSecond;
  }

  take(priority: Priority, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(asError(signal.reason));
    const queue = this.queueOf(priority);
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        queue.delete(waiting);
        reject(asError(signal.reason));
      };
      const waiting = {
        go: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      queue.add(waiting);
      this.serve();
    });
  }

  private serve(): void {
    this.fill();
    for (let next = this.next(); next && this.tokens >= 1; next = this.next()) {
      this.tokens -= 1;
      this.served += 1;
      next.queue.delete(next.waiting);
      next.waiting.go();
    }
    if (this.next()) this.serveLater();
  }

  private fill(): void {
    const now = performance.now();
    this.tokens = Math.min(this.ratePerSecond, this.tokens + ((now - this.filledAt) / 1_000) * this.ratePerSecond);
    this.filledAt = now;
  }

  private serveLater(): void {
    if (this.timer) return;
    const ms = Math.ceil(((1 - this.tokens) / this.ratePerSecond) * 1_000);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.serve();
    }, ms);
  }

  private next(): { readonly queue: Set<Waiting>; readonly waiting: Waiting } | undefined {
    const isTurnOfOthers = this.served % 4 === 3;
    for (const priority of isTurnOfOthers ? order.toReversed() : order) {
      const queue = this.queueOf(priority);
      const [waiting] = queue;
      if (waiting) return { queue, waiting };
    }
    return undefined;
  }

  private queueOf(priority: Priority): Set<Waiting> {
    return this.queues.get(priority) ?? new Set();
  }
}

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error(String(reason)));
