import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Pace } from '../../../src/runtime/pace.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('a pace', () => {
  it('gives a burst at once, and then one turn after the other', () => {
    const pace = new Pace({ perSecond: 10, burst: 3 });
    expect(Array.from({ length: 5 }, () => Math.round(pace.nextInMs()))).toEqual([0, 0, 0, 100, 200]);
  });

  it('saves no more than a burst while nobody asks', () => {
    const pace = new Pace({ perSecond: 10, burst: 3 });
    for (let turn = 0; turn < 3; turn += 1) pace.nextInMs();
    jest.advanceTimersByTime(3_600_000);
    expect(Array.from({ length: 4 }, () => Math.round(pace.nextInMs()))).toEqual([0, 0, 0, 100]);
  });

  it('does not count a turn that was asked for in vain', () => {
    const pace = new Pace({ perSecond: 1, burst: 1 });
    expect(pace.isTurn()).toBe(true);
    for (let tries = 0; tries < 50; tries += 1) expect(pace.isTurn()).toBe(false);
    jest.advanceTimersByTime(1_000);
    expect([pace.isTurn(), pace.isTurn()]).toEqual([true, false]);
  });
});
