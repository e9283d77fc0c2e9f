import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Cursor } from '../../../src/temporal/cursor.ts';

const overlaps = { shortMs: 5_000, longMs: 60_000, maxMs: 600_000 };

/** A cursor that has seen rows of these times. */
function aCursor(...times: readonly number[]): Cursor {
  const cursor = new Cursor(overlaps);
  for (const ms of times) cursor.see(ms);
  return cursor;
}

describe('a cursor', () => {
  it('begins at the beginning', () => {
    const cursor = aCursor();
    expect(cursor.high).toBeUndefined();
    expect(cursor.since(cursor.high, 'short')).toBeUndefined();
    expect(cursor.since(cursor.high, 'long')).toBeUndefined();
  });

  it('moves to the latest time in any row, and never back', () => {
    expect(aCursor(1_000, 3_000, 2_000).high).toBe(3_000);
  });

  it.each([
    ['short', undefined, 995_000],
    ['long', undefined, 940_000],
    ['long', 10_000, 940_000],
    ['long', 30_000, 910_000],
    ['long', 400_000, 400_000],
    ['short', 30_000, 995_000],
  ] as const)('reaches back %sly after a lag of %p ms to %i', (reach, lagMs, expected) => {
    const cursor = aCursor(1_000_000);
    if (lagMs !== undefined) cursor.wasMissing(1_000_000 - lagMs, 1_000_000);
    expect(cursor.since(cursor.high, reach)).toBe(expected);
  });

  it('keeps the largest lag', () => {
    const cursor = aCursor(1_000_000);
    for (const ms of [990_000, 960_000, 999_000]) cursor.wasMissing(ms, 1_000_000);
    expect(cursor.largestLagMs).toBe(40_000);
  });

  it('takes no row for late that is newer than all before, nor the very first', () => {
    const cursor = aCursor(1_000_000);
    cursor.wasMissing(1_000_500, 1_000_000);
    cursor.wasMissing(1_000, undefined);
    expect(cursor.largestLagMs).toBe(0);
  });

  it('forgets times and lags of another cluster', () => {
    const cursor = aCursor(1_000_000);
    cursor.wasMissing(0, 1_000_000);
    cursor.reset();
    expect([cursor.high, cursor.largestLagMs]).toEqual([undefined, 0]);
  });

  it('finds with a long query every row that comes within three times the largest lag before', () => {
    const rows = fc.array(fc.record({ atMs: fc.nat(10_000_000), lateByMs: fc.nat(200_000) }), { minLength: 1 });
    fc.assert(
      fc.property(rows, (all) => {
        const cursor = new Cursor(overlaps);
        for (const { atMs, lateByMs } of all) {
          const before = cursor.high;
          cursor.see(atMs + lateByMs);
          cursor.wasMissing(atMs, before);
          const since = cursor.since(cursor.high, 'long')!;
          expect(since).toBeLessThanOrEqual(cursor.high! - overlaps.longMs);
          expect(since).toBeLessThanOrEqual(cursor.high! - Math.min(overlaps.maxMs, 3 * cursor.largestLagMs));
          expect(since).toBeGreaterThanOrEqual(cursor.high! - overlaps.maxMs);
        }
      }),
    );
  });
});
