import { setTimeout as pause } from 'node:timers/promises';

/** How long a call may last: until its deadline, or until one of those who wait for it gives up. */
export class Scope {
  readonly signal: AbortSignal;
  /** Set once the deadline has passed while nobody had given up. */
  isLate = false;
  private readonly endsAt: number;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly parents: readonly AbortSignal[];
  private readonly giveUp = () => this.controller.abort(this.parents.find(({ aborted }) => aborted)?.reason);

  constructor(parents: readonly (AbortSignal | undefined)[], deadlineMs: number) {
    this.signal = this.controller.signal;
    this.endsAt = performance.now() + deadlineMs;
    this.parents = parents.filter((parent) => parent !== undefined);
    this.timer = setTimeout(() => this.expire(), deadlineMs);
    for (const parent of this.parents) parent.addEventListener('abort', this.giveUp, { once: true });
    if (this.parents.some(({ aborted }) => aborted)) this.giveUp();
  }

  /** Whether something that takes `ms` would end before the deadline. */
  hasTimeFor(ms: number): boolean {
    return performance.now() + ms < this.endsAt;
  }

  /** Rejects when the scope ends first. */
  async wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.signal });
  }

  /** Rejects when the scope ends before the promise does. */
  async within<T>(promise: Promise<T>): Promise<T> {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const stop = () => reject(this.signal.reason as Error);
    this.signal.addEventListener('abort', stop, { once: true });
    if (this.signal.aborted) stop();
    try {
      return await Promise.race([promise, ended]);
    } finally {
      this.signal.removeEventListener('abort', stop);
    }
  }

  /** A parent lives as long as the process: leave nothing behind on it. */
  end(): void {
    clearTimeout(this.timer);
    for (const parent of this.parents) parent.removeEventListener('abort', this.giveUp);
  }

  private expire(): void {
    this.isLate = !this.signal.aborted;
    this.controller.abort(new Error('the deadline has passed'));
  }
}
