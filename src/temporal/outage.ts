/** Counts failures in a row, and says how long to wait after each. */
export class Outage {
  private readonly firstMs: number;
  private readonly maxMs: number;
  private inRow = 0;
  private since = 0;
  /** Failures so far, in this outage and before. */
  failures = 0;

  /** Waits of about `firstMs`, doubling up to `maxMs`. */
  constructor(firstMs: number, maxMs: number) {
    this.firstMs = firstMs;
    this.maxMs = maxMs;
  }

  /** Another failure. Returns whether an outage begins with it, and how long to wait, with some jitter. */
  failed(): { readonly isFirst: boolean; readonly pauseMs: number } {
    if (this.inRow === 0) this.since = performance.now();
    this.failures += 1;
    this.inRow += 1;
    const pauseMs = Math.min(this.maxMs, this.firstMs * 2 ** (this.inRow - 1)) * (0.8 + 0.4 * Math.random());
    return { isFirst: this.inRow === 1, pauseMs };
  }

  /** A success. Returns how long the outage lasted that it ends; 0 where there was none. */
  succeeded(): number {
    const lastedMs = this.inRow === 0 ? 0 : performance.now() - this.since;
    this.inRow = 0;
    return lastedMs;
  }
}
