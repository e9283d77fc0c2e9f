import { describe, expect, it } from '@jest/globals';
import type { PodActivity } from '../../../../src/controllers/worker/idle.ts';
import { exitsOf, retreat, verify, type Surplus } from '../../../../src/controllers/worker/scalein.ts';
import { aPod, NOW_MS } from '../../../builders/worker.ts';
import type { ObservedPod } from '../../../../src/controllers/worker/observed.ts';

const pod = (name: string, state: PodActivity['state'], overrides: Partial<ObservedPod> = {}): PodActivity => ({
  pod: aPod(name, { isGuarded: state === 'busy', ...overrides }),
  state,
  usedSlots: state === 'busy' ? 1 : 0,
  isBlind: false,
});
const idle = (name: string, overrides: Partial<ObservedPod> = {}) => pod(name, 'idle', overrides);
const busy = (name: string, overrides: Partial<ObservedPod> = {}) => pod(name, 'busy', overrides);
const unknown = (name: string, overrides: Partial<ObservedPod> = {}) => pod(name, 'unknown', overrides);

const surplus = (live: readonly PodActivity[], overrides: Partial<Surplus> = {}): Surplus => ({
  current: live.length,
  idleFloor: 0,
  blindFloor: 0,
  live,
  terminating: 0,
  startedActivities: 0,
  ...overrides,
});

/** The next step, with marks that have been shown for long. */
function next(given: Surplus, guardedSinceMs: number | undefined = NOW_MS - 60_000) {
  return retreat(given, exitsOf(given), guardedSinceMs, NOW_MS);
}

describe('a step down', () => {
  it('takes all idle pods and no other', () => {
    expect(next(surplus([idle('a'), busy('b'), idle('c')]))).toEqual({ type: 'shrink', to: 1, candidates: ['a', 'c'] });
  });

  it('ends at the floor', () => {
    expect(next(surplus([idle('a'), idle('b'), idle('c')], { idleFloor: 2, blindFloor: 2 }))).toMatchObject({ to: 2 });
  });

  it('is none where nothing is too many', () => {
    expect(next(surplus([idle('a')], { idleFloor: 1, blindFloor: 1 }))).toEqual({ type: 'none' });
  });

  it.each<[string, Surplus, RegExp]>([
    ['every pod works', surplus([busy('a'), busy('b')]), /busy/],
    ['two ReplicaSets have pods', surplus([idle('a'), busy('b', { replicaSet: 'rs-2' })]), /rollout/],
    ['a busy pod is not ready', surplus([idle('a'), busy('b', { isReady: false })]), /not ready/],
    ['the last one is not done', surplus([idle('a'), busy('b')], { current: 1 }), /under way/],
    [
      'its victims are not known yet',
      surplus([idle('a')], { pending: { atMs: NOW_MS, size: 1, idle: [], others: [] } }),
      /under way/,
    ],
    ['an activity runs and it would be the last pod', surplus([idle('a')], { startedActivities: 1 }), /activity/],
  ])('waits while %s', (_, given, because) => {
    expect(next(given)).toEqual({ type: 'hold', because: expect.stringMatching(because) });
  });

  it('asks whether an activity runs before it takes the last pod', () => {
    const asked = { startedActivities: undefined };
    expect(next(surplus([idle('a')], asked))).toEqual({ type: 'prove' });
    expect(next(surplus([idle('a'), busy('b')], asked))).toMatchObject({ type: 'shrink', to: 1 });
  });

  it.each<[string, readonly PodActivity[]]>([
    ['a busy pod', [idle('a'), busy('b', { isGuarded: false })]],
    ['an idle pod', [idle('a', { isGuarded: true }), busy('b')]],
  ])('is prepared first when the marks of %s are wrong', (_, live) => {
    expect(next(surplus(live))).toEqual({ type: 'guard' });
  });

  it('waits a second for the controller manager to see the marks', () => {
    const given = surplus([idle('a'), busy('b')]);
    expect(next(given, NOW_MS - 999)).toMatchObject({ type: 'hold' });
    expect(next(given, NOW_MS - 1000)).toMatchObject({ type: 'shrink' });
  });

  it('needs no marks when every pod is idle', () => {
    expect(next(surplus([idle('a', { isGuarded: true }), idle('b')]), NOW_MS)).toMatchObject({ type: 'shrink', to: 0 });
  });

  it.each<[string, Surplus]>([
    [
      'the pod of a new template finds no place beside it',
      surplus([idle('a'), idle('b', { replicaSet: 'rs-2' })], { current: 1 }),
    ],
    ['two templates have pods', surplus([idle('a'), idle('b', { replicaSet: 'rs-2' })])],
    ['the pods of an earlier step are still there', surplus([idle('a'), idle('b')], { current: 1 })],
  ])('goes on while %s, for every pod is idle and none could be missed', (_, given) => {
    expect(next(given)).toEqual({ type: 'shrink', to: 0, candidates: ['a', 'b'] });
    expect(next({ ...given, startedActivities: undefined })).toEqual({ type: 'prove' });
  });

  it('gives up pods that could not be created before any other', () => {
    expect(next(surplus([busy('a')], { current: 4 }))).toEqual({ type: 'shrink', to: 1, candidates: [] });
  });

  it('takes pods of which nothing is known one at a time, and idle ones before', () => {
    expect(next(surplus([unknown('a'), unknown('b')]))).toMatchObject({ to: 1, candidates: ['a', 'b'] });
    expect(next(surplus([unknown('a'), unknown('b')], { terminating: 1 }))).toMatchObject({ type: 'hold' });
    expect(next(surplus([unknown('a', { isGuarded: true }), idle('b')]))).toMatchObject({ to: 1, candidates: ['b'] });
    expect(next(surplus([unknown('a')], { blindFloor: 1 }))).toMatchObject({ type: 'hold' });
  });
});

describe('a pod that does not become ready and tells nothing', () => {
  const hanging = (name: string) => unknown(name, { isReady: false });

  it('goes with the idle ones: Kubernetes would take it first anyway', () => {
    expect(next(surplus([idle('a'), hanging('b'), busy('c')]))).toEqual({
      type: 'shrink',
      to: 1,
      candidates: ['a', 'b'],
    });
  });

  it('goes before the busy ones, and is marked like the idle', () => {
    expect(next(surplus([hanging('a'), busy('b')]))).toEqual({ type: 'shrink', to: 1, candidates: ['a'] });
    expect(
      next(surplus([busy('a'), { ...hanging('b'), pod: aPod('b', { isReady: false, isGuarded: true }) }])),
    ).toEqual({ type: 'guard' });
  });

  it('stays while it is needed', () => {
    expect(next(surplus([idle('a'), hanging('b')], { idleFloor: 2, blindFloor: 2 }))).toEqual({ type: 'none' });
  });

  it('holds no pool back whose other pods are idle', () => {
    expect(next(surplus([idle('a'), hanging('b')]))).toEqual({ type: 'shrink', to: 0, candidates: ['a', 'b'] });
  });
});

describe('the victims of a step down', () => {
  const pending = { atMs: NOW_MS, size: 1, idle: ['a', 'b'], others: ['c'] };

  it.each([
    ['are looked for until they are gone', ['a', 'b', 'c'], 1_000, { pending, misses: 0 }],
    ['were idle', ['b', 'c'], 1_000, { misses: 0 }],
    ['were busy: that is counted', ['a', 'b'], 1_000, { misses: 1 }],
    ['are counted once, whatever else goes', ['b'], 1_000, { misses: 0 }],
    ['never went: somebody else changed the size', ['a', 'b', 'c'], 30_000, { misses: 0 }],
  ])('%s', (_, live, laterMs, expected) => {
    expect(verify(pending, new Set(live), NOW_MS + laterMs)).toEqual(expected);
  });
});
