import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../../src/controllers/worker/decide.ts';
import { newMemory } from '../../../../src/controllers/worker/memory.ts';
import { aWorker, facts, NOW_MS } from '../../../builders/worker.ts';

describe('an operator that has just begun to look', () => {
  it.each([
    ['wakes a pool for a run that was just started', 1_000, 1],
    ['wakes no pool for a run that has slept since before', 11_000, 0],
    ['blames nobody for a run that was started long before', 3 * 86_400_000, 0],
  ])('%s', (_, ageMs, replicas) => {
    const claims = [{ uid: 'u', startedAtMs: NOW_MS - ageMs }];
    const decision = decide(aWorker().spec, facts({ claims }), newMemory(NOW_MS), NOW_MS);
    expect(decision).toMatchObject({ replicas, expiredClaims: 0 });
  });
});
