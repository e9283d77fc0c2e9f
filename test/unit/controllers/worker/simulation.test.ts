import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { play, shortestStay, turns, type Load } from './simulator.ts';

const DELAY_SECONDS = 30;

const loads: fc.Arbitrary<Load> = fc.record({
  seed: fc.nat(),
  // Rarer ones may not arrive at all while we look.
  arrivalsPerSecond: fc.double({ min: 0.05, max: 2, noNaN: true }),
  meanTaskSeconds: fc.double({ min: 0.2, max: 30, noNaN: true }),
  coldStartSeconds: fc.integer({ min: 1, max: 30 }),
  scaling: fc.constant({ max: 100, scaleDownDelay: `${DELAY_SECONDS}s` }),
});

describe('a pool under Poisson arrivals of constant rate', () => {
  it('never shrinks within scaleDownDelay of having grown', () => {
    fc.assert(
      fc.property(loads, (load) => {
        expect(shortestStay(play(load, 20 * DELAY_SECONDS).sizes)).toBeGreaterThanOrEqual(DELAY_SECONDS);
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  it('changes its direction at most once in scaleDownDelay, on average', () => {
    // Where tasks come more rarely than that, the pool goes to zero between them and wakes for each: two turns a task.
    const frequent = fc.record({ load: loads, arrivalsPerSecond: fc.double({ min: 0.1, max: 2, noNaN: true }) });
    fc.assert(
      fc.property(frequent, ({ load, arrivalsPerSecond }) => {
        const seconds = 60 * DELAY_SECONDS;
        const { sizes } = play({ ...load, arrivalsPerSecond }, seconds);
        expect(turns(sizes, 2 * DELAY_SECONDS)).toBeLessThanOrEqual(seconds / DELAY_SECONDS - 2);
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  it('never loses a task to a step down, and serves them all', () => {
    fc.assert(
      fc.property(loads, (load) => {
        const { lost, misses, done } = play(load, 20 * DELAY_SECONDS);
        expect({ lost, misses }).toEqual({ lost: 0, misses: 0 });
        expect(done).toBeGreaterThan(0);
      }),
      { numRuns: 8 },
    );
  }, 60_000);

  it('is at zero between tasks that are rare, and wakes for each', () => {
    const rare = { arrivalsPerSecond: 1 / 600, meanTaskSeconds: 20, coldStartSeconds: 10 };
    const { sizes, longestWaitSeconds } = play({ seed: 7, ...rare, scaling: { scaleDownDelay: '60s' } }, 36_000);
    expect(sizes.filter((size) => size === 0).length).toBeGreaterThan(sizes.length / 2);
    expect(longestWaitSeconds).toBeLessThanOrEqual(100);
  });

  it('does not buy a pod for each task of milliseconds', () => {
    const short = { arrivalsPerSecond: 20, meanTaskSeconds: 0.01, coldStartSeconds: 5 };
    const { sizes } = play({ seed: 7, ...short, scaling: { max: 100, scaleDownDelay: '60s' } }, 600);
    expect(sizes.at(-1)).toBeLessThanOrEqual(4);
  });
});
