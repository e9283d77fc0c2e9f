import { describe, expect, it } from '@jest/globals';
import { servedThrough, sortClaims, wakeForMs } from '../../../../src/controllers/worker/claims.ts';
import type { PodMemory } from '../../../../src/controllers/worker/memory.ts';
import { NOW_MS } from '../../../builders/worker.ts';

const secondsAgo = (seconds: number) => NOW_MS - seconds * 1000;
const pollingSince = (pollingSinceMs?: number): PodMemory => ({
  firstSeenMs: 0,
  isBornHere: true,
  pollingSinceMs,
  workers: new Map(),
});
const claimed = (seconds: number) => ({ uid: `u-${seconds}`, startedAtMs: secondsAgo(seconds) });

describe('for how long a claim keeps a pod wanted', () => {
  it.each([
    ['a quarter of an hour while nobody knows how long a start takes', undefined, 900],
    ['two minutes at least', 5_000, 120],
    ['twice a measured cold start', 200_000, 400],
    ['a quarter of an hour at most', 3_600_000, 900],
  ])('is %s', (_, coldStartMs, seconds) => {
    expect(wakeForMs(coldStartMs)).toBe(seconds * 1000);
  });
});

describe('claims', () => {
  it('are open from the start on', () => {
    expect(sortClaims([claimed(0), claimed(3)], 0, undefined, NOW_MS)).toEqual({ open: 2, expired: 0 });
  });

  it('end once a pod has polled for 10 s since', () => {
    const served = servedThrough(0, [pollingSince(secondsAgo(60))], NOW_MS);
    expect(sortClaims([claimed(9), claimed(11)], served, undefined, NOW_MS)).toEqual({ open: 1, expired: 0 });
  });

  it('stay open while no pod has polled for 10 s', () => {
    const served = servedThrough(0, [pollingSince(secondsAgo(9)), pollingSince()], NOW_MS);
    expect(sortClaims([claimed(60)], served, undefined, NOW_MS)).toEqual({ open: 1, expired: 0 });
  });

  it('that had their pod never come back when the pods are gone', () => {
    const served = servedThrough(0, [pollingSince(secondsAgo(60))], NOW_MS);
    const later = servedThrough(served, [], NOW_MS + 3 * 86_400_000);
    expect(sortClaims([claimed(30)], later, undefined, NOW_MS)).toEqual({ open: 0, expired: 0 });
  });

  it('expire when no pod comes in time', () => {
    expect(sortClaims([claimed(901)], 0, undefined, NOW_MS)).toEqual({ open: 0, expired: 1 });
  });
});
