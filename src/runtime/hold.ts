/**
 * The right to act for as long as a Lease surely lasts. It ends by itself when
 * it is not extended in time, whatever a call that should extend it is doing.
 */
export class Hold {
  private readonly lengthMs: number;
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private endsAt = -Infinity;

  /** `since` is when, by `performance.now()`, the Lease was ours at the latest. */
  constructor(lengthMs: number, since: number) {
    this.lengthMs = lengthMs;
    this.extend(since);
  }

  /** Aborted when it ends. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /**
   * Whether it lasts at this very moment. Unlike the signal, whose timer waits
   * its turn, this is right also where the process was too busy, or stopped.
   */
  isHeld(): boolean {
    if (performance.now() >= this.endsAt) this.end();
    return !this.signal.aborted;
  }

  /** Cannot bring back one that has ended. */
  extend(since: number): void {
    if (this.signal.aborted) return;
    this.endsAt = since + this.lengthMs;
    clearTimeout(this.timer);
    // Timers may fire a little early: do not ask the time again.
    this.timer = setTimeout(() => this.end(), Math.max(0, this.endsAt - performance.now()));
  }

  end(): void {
    clearTimeout(this.timer);
    this.controller.abort(new Error('the term has ended'));
  }
}
