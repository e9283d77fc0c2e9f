import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { TokenBucket } from '../../../src/temporal/budget.ts';
import type { Priority } from '../../../src/temporal/call.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const never = new AbortController().signal;
const urgent: readonly Priority[] = ['start', 'control', 'completion', 'statistics'];

/** A bucket of that rate, and whose turn came when, in milliseconds from now. */
function aBucket(ratePerSecond: number) {
  const bucket = new TokenBucket(ratePerSecond);
  const served: { readonly name: string; readonly atMs: number }[] = [];
  const beganMs = performance.now();
  const ask = (priority: Priority, name: string = priority, signal = never) => {
    const turn = bucket.take(priority, signal);
    turn.then(
      () => served.push({ name, atMs: performance.now() - beganMs }),
      () => undefined,
    );
    return turn;
  };
  return { ask, served, names: () => served.map(({ name }) => name) };
}

describe('a token bucket', () => {
  it('lets as many go at once as it has for a second, then one at a time', async () => {
    const { ask, served } = aBucket(10);
    for (let index = 0; index < 13; index += 1) void ask('control', String(index));
    await jest.advanceTimersByTimeAsync(0);
    expect(served).toHaveLength(10);
    await jest.advanceTimersByTimeAsync(99);
    expect(served).toHaveLength(10);
    await jest.advanceTimersByTimeAsync(1);
    expect(served).toHaveLength(11);
    await jest.advanceTimersByTimeAsync(200);
    expect(served.map(({ name }) => Number(name))).toEqual([...Array(13).keys()]);
  });

  it('saves up no more than for a second', async () => {
    const { ask, served } = aBucket(5);
    await jest.advanceTimersByTimeAsync(3_600_000);
    for (let index = 0; index < 20; index += 1) void ask('control');
    await jest.advanceTimersByTimeAsync(0);
    expect(served).toHaveLength(5);
  });

  it('serves starts before control, control before completions, those before statistics', async () => {
    const { ask, names } = aBucket(1);
    await ask('start', 'the only token');
    for (const priority of urgent.toReversed()) void ask(priority);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(names()).toEqual(['the only token', 'start', 'control']);
  });

  it('gives every fourth token to the least urgent, so that nobody starves', async () => {
    const { ask, names } = aBucket(4);
    for (let index = 0; index < 40; index += 1) void ask('start');
    for (let index = 0; index < 3; index += 1) void ask('statistics');
    void ask('completion');
    await jest.advanceTimersByTimeAsync(4_000);
    expect(names().join(' ')).toMatch(/^(start start start (statistics|completion) ?|start ?)+$/);
    expect(names().filter((name) => name !== 'start')).toEqual([
      'statistics',
      'statistics',
      'statistics',
      'completion',
    ]);
  });

  it('forgets whoever gives up, who costs nobody a token', async () => {
    const { ask, names } = aBucket(1);
    await ask('start', 'the only token');
    const giveUp = new AbortController();
    const given = ask('start', 'gave up', giveUp.signal);
    void ask('control');
    giveUp.abort(new Error('enough'));
    await expect(given).rejects.toThrow('enough');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(names()).toEqual(['the only token', 'control']);
  });

  it('refuses whoever has given up before asking', async () => {
    await expect(aBucket(1).ask('start', 'x', AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    await expect(aBucket(1).ask('start', 'x', AbortSignal.abort('words'))).rejects.toThrow('words');
  });

  it('keeps to its rate in any second, loses nobody, and has no timer left when nobody waits', async () => {
    const calls = fc.array(
      fc.record({ afterMs: fc.nat(400), priority: fc.constantFrom(...urgent), count: fc.integer({ min: 1, max: 15 }) }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 1, max: 20 }), async (bursts, rate) => {
        const { ask, served } = aBucket(rate);
        let asked = 0;
        for (const { afterMs, priority, count } of bursts) {
          await jest.advanceTimersByTimeAsync(afterMs);
          for (let index = 0; index < count; index += 1) void ask(priority);
          asked += count;
        }
        await jest.advanceTimersByTimeAsync((asked / rate + 1) * 1_000);
        expect(served).toHaveLength(asked);
        expect(jest.getTimerCount()).toBe(0);
        for (const { atMs } of served) {
          const within = served.filter((one) => one.atMs >= atMs && one.atMs < atMs + 1_000);
          expect(within.length).toBeLessThanOrEqual(2 * rate);
        }
      }),
      { numRuns: 15 },
    );
  });
});
