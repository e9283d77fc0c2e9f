import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { emptyWindow, highest, seen } from '../../../../src/controllers/worker/window.ts';

const fed = (values: readonly (readonly [atMs: number, value: number])[], lengthMs: number) =>
  values.reduce((window, [atMs, value]) => seen(window, value, atMs, lengthMs), emptyWindow(0));

describe('the highest value of the last while', () => {
  it('is unknown before a whole window has passed', () => {
    expect(highest(fed([[0, 1]], 100), 99, 100)).toBeUndefined();
    expect(highest(fed([[0, 1]], 100), 100, 100)).toBe(1);
  });

  it.each([
    [
      'rises at once',
      [
        [0, 1],
        [150, 5],
      ],
      150,
      5,
    ],
    [
      'stays for the length of the window',
      [
        [0, 5],
        [50, 2],
        [150, 2],
      ],
      150,
      2,
    ],
    [
      'counts from when it was last seen',
      [
        [0, 5],
        [90, 5],
        [150, 2],
      ],
      150,
      5,
    ],
    [
      'falls step by step',
      [
        [100, 5],
        [150, 3],
        [201, 1],
      ],
      201,
      3,
    ],
  ] as const)('%s', (_, values, nowMs, expected) => {
    expect(highest(fed(values, 100), nowMs, 100)).toBe(expected);
  });

  it('is what a list of all values would say, and holds one entry per value at most', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 6 })), { minLength: 1 });
    fc.assert(
      fc.property(steps, (waits) => {
        let atMs = 0;
        const all = waits.map(([waitMs, value]) => [(atMs += waitMs), value] as const);
        const window = fed(all, 100);
        const within = all.filter(([at]) => at >= atMs - 100).map(([, value]) => value);
        expect(window.peaks.length).toBeLessThanOrEqual(7);
        expect(highest(window, atMs, 100)).toBe(atMs < 100 ? undefined : Math.max(...within));
      }),
    );
  });
});
