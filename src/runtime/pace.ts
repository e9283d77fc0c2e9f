/** How often something may happen: so many times a second over time, and `burst` times at once after a pause. */
export interface PaceBounds {
  readonly perSecond: number;
  readonly burst: number;
}

/** Hands out turns at a bounded pace. */
export class Pace {
  private readonly gapMs: number;
  private readonly burst: number;
  /** When the turns that were handed out are used up at the steady pace. */
  private usedUpAt = -Infinity;

  constructor({ perSecond, burst }: PaceBounds) {
    this.gapMs = 1_000 / perSecond;
    this.burst = burst;
  }

  /** Takes the next turn and returns in how many milliseconds it comes; 0: now. */
  nextInMs(): number {
    const now = performance.now();
    const turnAt = Math.max(this.usedUpAt, now - (this.burst - 1) * this.gapMs);
    this.usedUpAt = turnAt + this.gapMs;
    return Math.max(0, turnAt - now);
  }

  /** Takes a turn if one can be had now. */
  isTurn(): boolean {
    const before = this.usedUpAt;
    if (this.nextInMs() === 0) return true;
    this.usedUpAt = before;
    return false;
  }
}
