/** How far a query reaches back behind the latest time seen. */
export interface Overlaps {
  /** Usual reach: rows arrive somewhat out of order. */
  readonly shortMs: number;
  /** Least reach of the long queries in between. */
  readonly longMs: number;
  /** Reach that no lag, however large, extends. */
  readonly maxMs: number;
}

/**
 * How far the visibility store has been read. Moves by the times in rows alone:
 * our own clock may be wrong, and the store may be behind.
 */
export class Cursor {
  private readonly overlaps: Overlaps;
  private highMs: number | undefined;
  private lagMs = 0;

  constructor(overlaps: Overlaps) {
    this.overlaps = overlaps;
  }

  /** The latest time seen in any row; undefined before the first. */
  get high(): number | undefined {
    return this.highMs;
  }

  /** The longest that a row has come behind later ones. */
  get largestLagMs(): number {
    return this.lagMs;
  }

  /** A row of that time was seen. */
  see(ms: number): void {
    this.highMs = Math.max(this.highMs ?? 0, ms);
  }

  /** A row of time `ms` was missing from a query made when `high` was the latest time. */
  wasMissing(ms: number, high: number | undefined): void {
    if (high !== undefined) this.lagMs = Math.max(this.lagMs, high - ms);
  }

  /** Where a query begins that is to find what was missed after `from`; undefined: at the beginning. */
  since(from: number | undefined, reach: 'short' | 'long'): number | undefined {
    if (from === undefined) return undefined;
    const { shortMs, longMs, maxMs } = this.overlaps;
    return from - (reach === 'short' ? shortMs : Math.min(maxMs, Math.max(longMs, 3 * this.lagMs)));
  }

  /** Forgets everything: the client leads to another cluster. */
  reset(): void {
    this.highMs = undefined;
    this.lagMs = 0;
  }
}
