import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Hold } from '../../../src/runtime/hold.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('a hold', () => {
  it('lasts from when it was surely ours, and not from when we learned of it', () => {
    const hold = new Hold(1_000, performance.now() - 300);
    jest.advanceTimersByTime(699);
    expect([hold.isHeld(), hold.signal.aborted]).toEqual([true, false]);
    jest.advanceTimersByTime(1);
    expect([hold.signal.aborted, jest.getTimerCount()]).toEqual([true, 0]);
  });

  it('lasts longer each time it is extended, and cannot be brought back', () => {
    const hold = new Hold(1_000, performance.now());
    jest.advanceTimersByTime(900);
    hold.extend(performance.now() - 100);
    jest.advanceTimersByTime(899);
    expect(hold.isHeld()).toBe(true);
    jest.advanceTimersByTime(1);
    hold.extend(performance.now());
    expect([hold.isHeld(), jest.getTimerCount()]).toEqual([false, 0]);
  });

  it('leaves no timer behind when it is given up', () => {
    const hold = new Hold(1_000, performance.now());
    hold.end();
    expect([hold.isHeld(), jest.getTimerCount()]).toEqual([false, 0]);
  });

  it('is known to have ended before its timer had its turn', () => {
    jest.useRealTimers();
    const hold = new Hold(20, performance.now());
    const busyUntil = performance.now() + 25;
    while (performance.now() < busyUntil);
    expect(hold.signal.aborted).toBe(false); // no timer fires while we are busy
    expect([hold.isHeld(), hold.signal.aborted]).toEqual([false, true]);
  });
});
