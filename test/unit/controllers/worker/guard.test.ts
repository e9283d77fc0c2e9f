import { describe, expect, it } from '@jest/globals';
import { marksToChange } from '../../../../src/controllers/worker/guard.ts';
import type { PodActivity } from '../../../../src/controllers/worker/idle.ts';
import { isGuarded, markAnnotations } from '../../../../src/controllers/worker/marks.ts';
import type { PodMemory } from '../../../../src/controllers/worker/memory.ts';
import { aPod, aWorker, NOW_MS } from '../../../builders/worker.ts';

const busyMarks = {
  'controller.kubernetes.io/pod-deletion-cost': '100',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
  'karpenter.sh/do-not-disrupt': 'true',
};

type Activity = Partial<Omit<PodActivity, 'pod'>> & { isGuarded?: boolean };

const active = (name: string, { isGuarded = false, ...rest }: Activity = {}): PodActivity => ({
  ...{ pod: aPod(name, { isGuarded }), state: 'busy', usedSlots: 0, isBlind: false },
  ...rest,
});

const idleSince = (name: string, secondsAgo: number) =>
  new Map<string, PodMemory>([
    [name, { firstSeenMs: 0, isBornHere: false, idleSinceMs: NOW_MS - secondsAgo * 1_000, workers: new Map() }],
  ]);

describe('the marks of a pod', () => {
  it.each<[string, PodActivity, number, boolean | undefined]>([
    ['that works, and carries none', active('a', { usedSlots: 1 }), 0, true],
    ['that works, and carries them', active('a', { usedSlots: 1, isGuarded: true }), 0, undefined],
    ['that starts', active('a'), 0, undefined],
    ['of which nothing is known', active('a', { state: 'unknown', isGuarded: true }), 60, undefined],
    ['that is idle for a short time', active('a', { state: 'idle', isGuarded: true }), 29.999, undefined],
    ['that is idle for half a minute', active('a', { state: 'idle', isGuarded: true }), 30, false],
    ['that is idle and free', active('a', { state: 'idle' }), 60, undefined],
  ])('%s change to %#', (_, one, idleSeconds, isBusy) => {
    const expected = isBusy === undefined ? [] : [{ pod: 'a', isBusy }];
    expect(marksToChange([one], idleSince('a', idleSeconds), undefined, NOW_MS)).toEqual(expected);
  });

  it('that has just become idle stay, for nobody knows since when', () => {
    const pod = active('a', { state: 'idle', isGuarded: true });
    expect(marksToChange([pod], new Map(), undefined, NOW_MS)).toEqual([]);
  });

  it('are exact when a step down is due: on all but those that may go', () => {
    const pods = [
      active('goes', { state: 'idle', isGuarded: true }),
      active('stays', { state: 'idle' }),
      active('works', { usedSlots: 1, isGuarded: true }),
      active('went free'),
    ];
    expect(marksToChange(pods, new Map(), new Set(['goes', 'went free']), NOW_MS)).toEqual([
      { pod: 'goes', isBusy: false },
      { pod: 'stays', isBusy: true },
    ]);
  });

  it('are three, and all of them count', () => {
    expect(markAnnotations(aWorker(), true)).toEqual(busyMarks);
    expect(isGuarded({ ...busyMarks, other: 'x' })).toBe(true);
    for (const name of Object.keys(busyMarks)) expect(isGuarded({ ...busyMarks, [name]: 'x' })).toBe(false);
    expect(isGuarded({})).toBe(false);
  });

  it('give way to what the template says in their place', () => {
    const annotations = { 'karpenter.sh/do-not-disrupt': 'false', other: 'x' };
    const template = { metadata: { annotations }, spec: { containers: [{ name: 'worker' }] } };
    expect(markAnnotations(aWorker({ spec: { template } }), false)).toEqual({
      'controller.kubernetes.io/pod-deletion-cost': null,
      'cluster-autoscaler.kubernetes.io/safe-to-evict': null,
      'karpenter.sh/do-not-disrupt': 'false',
    });
  });
});
