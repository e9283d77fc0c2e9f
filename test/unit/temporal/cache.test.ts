import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Cache } from '../../../src/temporal/cache.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A question whose answer is how often it was asked. */
function aQuestion() {
  let asked = 0;
  return async () => (asked += 1);
}

describe('a cache', () => {
  it('asks once for all who ask within its time, and anew afterwards', async () => {
    const cache = new Cache<number>(2_000);
    const ask = aQuestion();
    expect(await Promise.all([cache.get('a', ask), cache.get('a', ask)])).toEqual([1, 1]);
    await jest.advanceTimersByTimeAsync(1_999);
    expect(await cache.get('a', ask)).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(await cache.get('a', ask)).toBe(2);
  });

  it('never asks twice at once, however long the answer takes', async () => {
    const cache = new Cache<string>(2_000);
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = cache.get('a', () => promise);
    await jest.advanceTimersByTimeAsync(60_000);
    const second = cache.get('a', async () => 'asked again');
    resolve('once');
    expect(await Promise.all([first, second])).toEqual(['once', 'once']);
    expect(await cache.get('a', async () => 'later')).toBe('later');
  });

  it('keeps keys apart, and one that is slow holds up no other', async () => {
    const cache = new Cache<number>(2_000);
    void cache.get('slow', () => new Promise(() => undefined));
    const ask = aQuestion();
    expect(await cache.get('a', ask)).toBe(1);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await cache.get('a', ask)).toBe(2);
  });

  it('keeps no error', async () => {
    const cache = new Cache<number>(2_000);
    await expect(cache.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.get('a', aQuestion())).toBe(1);
  });
});
