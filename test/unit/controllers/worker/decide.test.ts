import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Scaling } from '../../../../src/api/worker.ts';
import { decide, type Decision, type PoolFacts } from '../../../../src/controllers/worker/decide.ts';
import { newMemory, type ScalingMemory } from '../../../../src/controllers/worker/memory.ts';
import { aBeat, aPod, aQueue, aWorker, facts, NOW_MS } from '../../../builders/worker.ts';

const MINUTE_MS = 60_000;

interface Scene {
  readonly scaling?: Partial<Scaling>;
  readonly replicas?: number;
  readonly facts?: Partial<PoolFacts>;
  readonly memory?: Partial<ScalingMemory>;
}

function decided({ scaling, replicas, facts: given, memory }: Scene): Decision {
  const { spec } = aWorker({ ...(scaling && { scaling }), ...(replicas !== undefined && { spec: { replicas } }) });
  return decide(spec, facts(given), { ...newMemory(NOW_MS), ...memory }, NOW_MS);
}

/** `count` pods of one slot each, of which the first `busyCount` work; looked at every second since `fromMs`. */
function pool(count: number, busyCount = 0): (atMs: number) => Pick<PoolFacts, 'current' | 'pods' | 'queue'> {
  const names = Array.from({ length: count }, (_, index) => `p${index}`);
  return (atMs) => ({
    current: count,
    pods: names.map((name, index) => aPod(name, { isGuarded: index < busyCount })),
    queue: aQueue({
      readAtMs: atMs,
      beats: names.map((name, index) => aBeat(name, { beatAtMs: atMs, usedSlots: index < busyCount ? 1 : 0 })),
    }),
  });
}

/** The last of several decisions, one every `everyMs`, on a world that only changes as `at` says. */
function played(
  scene: Omit<Scene, 'facts'>,
  at: (atMs: number) => Partial<PoolFacts>,
  { everyMs, forMs }: { everyMs: number; forMs: number },
): Decision {
  const { spec } = aWorker({ ...(scene.scaling && { scaling: scene.scaling }) });
  let memory: ScalingMemory = { ...newMemory(NOW_MS), ...scene.memory };
  let last: Decision | undefined;
  for (let atMs = NOW_MS; atMs <= NOW_MS + forMs; atMs += everyMs) {
    last = decide(spec, facts({ startedActivities: 0, ...at(atMs) }), memory, atMs);
    memory = last.memory;
  }
  if (!last) throw new Error('nothing was decided');
  return last;
}

describe('the size of a pool in the mode Backlog', () => {
  it.each<[string, Scene, number, string]>([
    ['stays at zero when nothing waits', {}, 0, 'nothing to do: 0 replicas'],
    [
      'is one pod for each waiting task',
      { facts: { queue: aQueue({ waiting: 3 }) } },
      3,
      '3 tasks waiting, 0 slots busy: 3 replicas',
    ],
    [
      'is one pod for as many tasks as it has slots',
      { scaling: { tasksPerReplica: 4 }, facts: { queue: aQueue({ waiting: 9 }) } },
      3,
      '9 tasks waiting, 0 slots busy: 3 replicas',
    ],
    [
      'grows by maxStepUp at once',
      { facts: { queue: aQueue({ waiting: 7 }) } },
      4,
      '7 tasks waiting, 0 slots busy: 4 replicas, on the way to 7',
    ],
    [
      'never exceeds max',
      { scaling: { max: 2 }, facts: { queue: aQueue({ waiting: 7 }) } },
      2,
      '7 tasks waiting, 0 slots busy: 2 replicas',
    ],
    ['never falls below min', { scaling: { min: 2 } }, 2, 'nothing to do: 2 replicas'],
    [
      'is one pod for any number of workflow tasks',
      { facts: { queue: aQueue({ workflowsWaiting: 500 }) } },
      1,
      '500 tasks waiting, 0 slots busy: 1 replica',
    ],
    [
      'is one pod for a run that was just started',
      { facts: { claims: [{ uid: 'u', startedAtMs: NOW_MS }] } },
      1,
      '1 new run: 1 replica',
    ],
    [
      'is no more than one pod while the queue is rate limited',
      { facts: { queue: aQueue({ waiting: 7, isRateLimited: true }) } },
      1,
      '7 tasks waiting, 0 slots busy: 1 replica, on the way to 7',
    ],
  ])('%s', (_, scene, replicas, reason) => {
    expect(decided(scene)).toMatchObject({ replicas, reason });
  });

  it('adds to the pods that work', () => {
    const given = pool(2, 2)(NOW_MS);
    expect(
      decided({ facts: { ...given, queue: { ...given.queue!, ...aQueue({ waiting: 1, beats: given.queue!.beats }) } } })
        .replicas,
    ).toBe(3);
  });

  it('does not count tasks that were started since the statistic was made', () => {
    const names = ['p0', 'p1'];
    const pods = names.map((name) => aPod(name));
    const beats = (atMs: number, usedSlots: number) =>
      names.map((name) => aBeat(name, { beatAtMs: atMs, startedAtMs: NOW_MS, usedSlots }));
    const last = played(
      {},
      (atMs) => ({
        current: 2,
        pods,
        queue: aQueue({ readAtMs: atMs, waiting: 2, beats: beats(atMs, atMs > NOW_MS ? 1 : 0) }),
      }),
      { everyMs: 2_000, forMs: 4_000 },
    );
    expect(last).toMatchObject({ waiting: 0, replicas: 2 });
  });

  it('grows by maxStepUp in 5 s, not in each look', () => {
    let current = 0;
    const sizes: number[] = [];
    const { spec } = aWorker({ scaling: { max: 100 } });
    let memory = newMemory(NOW_MS);
    for (let atMs = NOW_MS; atMs <= NOW_MS + 10_000; atMs += 1_000) {
      const decision = decide(spec, facts({ current, queue: aQueue({ readAtMs: atMs, waiting: 50 }) }), memory, atMs);
      ({ replicas: current, memory } = decision);
      sizes.push(current);
    }
    expect(sizes).toEqual([4, 4, 4, 4, 4, 8, 8, 8, 8, 8, 12]);
  });

  it('does not shrink before nothing more was needed for scaleDownDelay', () => {
    const idle = pool(3);
    expect(played({}, idle, { everyMs: 1000, forMs: 5 * MINUTE_MS - 1000 }).replicas).toBe(3);
    expect(played({}, idle, { everyMs: 1000, forMs: 5 * MINUTE_MS }).replicas).toBe(0);
  });

  it('shrinks to what works, and keeps the last pod while something waits', () => {
    expect(played({}, pool(3, 1), { everyMs: 1000, forMs: 5 * MINUTE_MS + 1000 }).replicas).toBe(1);
    const waiting = (atMs: number) => ({
      ...pool(1)(atMs),
      queue: { ...pool(1)(atMs).queue!, workflows: aQueue({ workflowsWaiting: 1 }).workflows },
    });
    expect(played({}, waiting, { everyMs: 1000, forMs: 6 * MINUTE_MS }).replicas).toBe(1);
  });

  it('asks for proof before zero, and stays while an activity runs', () => {
    const unproven = (startedActivities: number | undefined) => (atMs: number) => ({
      ...pool(1)(atMs),
      startedActivities,
    });
    const span = { everyMs: 1000, forMs: 6 * MINUTE_MS };
    expect(played({}, unproven(undefined), span).retreating.type).toBe('prove');
    expect(played({}, unproven(1), span)).toMatchObject({
      replicas: 1,
      reason: expect.stringContaining('still running'),
    });
  });

  it('gives up idle pods at once when max was lowered below the present size', () => {
    expect(played({ scaling: { max: 2 } }, pool(5, 1), { everyMs: 1000, forMs: 2_000 })).toMatchObject({ replicas: 2 });
  });

  it('drains pods that never tell one by one', () => {
    const silent = (atMs: number) => ({
      current: 3,
      pods: [aPod('p0'), aPod('p1'), aPod('p2')],
      queue: aQueue({ readAtMs: atMs, pollers: [{ identity: '1@p0' }, { identity: '1@p1' }, { identity: '1@p2' }] }),
    });
    expect(played({}, silent, { everyMs: 5000, forMs: 5 * MINUTE_MS })).toMatchObject({ replicas: 2 });
  });

  it('takes pods that poll and never tell for full while other tasks wait', () => {
    const pollers = [{ identity: '1@p0' }, { identity: '1@p1' }];
    const given = { current: 2, pods: [aPod('p0'), aPod('p1')], queue: aQueue({ waiting: 1, pollers }) };
    expect(decided({ facts: given }).replicas).toBe(3);
  });

  it('keeps its size while Temporal is away, or goes to fallbackReplicas when it stays away', () => {
    const away = (atMs: number) => ({ ...pool(3)(atMs), queue: undefined });
    expect(played({}, away, { everyMs: 1000, forMs: 60 * MINUTE_MS }).replicas).toBe(3);
    const fallback = { scaling: { fallbackReplicas: 5 } };
    expect(played(fallback, away, { everyMs: 1000, forMs: 14_000 }).replicas).toBe(3);
    expect(played(fallback, away, { everyMs: 1000, forMs: 15_000 }).replicas).toBe(5);
  });

  it('begins the wait for zero anew after Temporal was away', () => {
    const awayUntil = NOW_MS + 10 * MINUTE_MS;
    const world = (atMs: number) => ({ ...pool(1)(atMs), ...(atMs < awayUntil && { queue: undefined }) });
    expect(played({}, world, { everyMs: 1000, forMs: 14 * MINUTE_MS }).replicas).toBe(1);
    expect(played({}, world, { everyMs: 1000, forMs: 16 * MINUTE_MS }).replicas).toBe(0);
  });

  it('measures a cold start', () => {
    const starting = (atMs: number) => {
      const isUp = atMs >= NOW_MS + 30_000;
      return {
        current: 1,
        pods: [aPod('p0', { hasProcess: isUp, isReady: isUp })],
        queue: aQueue({ readAtMs: atMs, beats: isUp ? [aBeat('p0', { beatAtMs: atMs })] : [] }),
      };
    };
    expect(played({}, starting, { everyMs: 1000, forMs: 40_000 }).memory.coldStartMs).toBe(30_000);
  });

  it.each([
    ['a pod that says that it stops', 'ShuttingDown', 5_000, true],
    ['a pod that still polls 10 s after it was told to stop', 'Running', 12_000, false],
    ['a pod that was told to stop just now', 'Running', 5_000, undefined],
  ] as const)('learns from %s whether pods drain', (_, status, forMs, drains) => {
    const stopping = (atMs: number) => ({
      pods: [aPod('p0', { isTerminating: true })],
      queue: aQueue({ readAtMs: atMs, beats: [aBeat('p0', { beatAtMs: atMs, status })] }),
    });
    expect(played({}, stopping, { everyMs: 1000, forMs }).memory.drains).toBe(drains);
  });
});

describe('the size of a pool in the modes External and Fixed', () => {
  const external = { scaling: { mode: 'External' } } as const;

  it('is that of spec.replicas, at once and in one step', () => {
    expect(decided({ ...external, replicas: 7 })).toMatchObject({
      replicas: 7,
      reason: 'as spec.replicas says: 7 replicas',
    });
  });

  it('shrinks by idle pods only, at once', () => {
    const span = { everyMs: 1000, forMs: 2_000 };
    expect(played(external, pool(4, 2), span)).toMatchObject({ replicas: 2, target: 1 });
    expect(played(external, pool(4, 4), span)).toMatchObject({ replicas: 4, target: 1 });
  });

  it('is kept after the mode was Backlog until somebody asks for another', () => {
    expect(decided({ ...external, replicas: 1, facts: { current: 5, isSizeKept: true } }).replicas).toBe(5);
  });

  it('follows while Temporal is away too, by one drained pod at a time and after scaleDownDelay', () => {
    const away = (atMs: number) => ({ ...pool(3)(atMs), queue: undefined });
    expect(played(external, away, { everyMs: 1000, forMs: 4 * MINUTE_MS }).replicas).toBe(3);
    expect(played(external, away, { everyMs: 1000, forMs: 5 * MINUTE_MS }).replicas).toBe(2);
  });
});

describe('whatever the world looks like', () => {
  const worlds = fc.record({
    min: fc.integer({ min: 0, max: 5 }),
    extra: fc.integer({ min: 1, max: 10 }),
    waiting: fc.nat(40),
    workflowsWaiting: fc.nat(3),
    claims: fc.nat(5),
    isRateLimited: fc.boolean(),
    pods: fc.array(fc.constantFrom('idle', 'busy', 'silent'), { maxLength: 12 }),
  });
  type World = typeof worlds extends fc.Arbitrary<infer T> ? T : never;

  const at = (world: World) => (atMs: number) => {
    const pods = world.pods.map((state, index) => ({ name: `p${index}`, state }));
    return {
      current: pods.length,
      pods: pods.map(({ name, state }) => aPod(name, { isGuarded: state !== 'idle' })),
      claims: Array.from({ length: world.claims }, (_, index) => ({ uid: `u${index}`, startedAtMs: atMs })),
      queue: aQueue({
        readAtMs: atMs,
        waiting: world.waiting,
        workflowsWaiting: world.workflowsWaiting,
        isRateLimited: world.isRateLimited,
        beats: pods
          .filter(({ state }) => state !== 'silent')
          .map(({ name, state }) => aBeat(name, { beatAtMs: atMs, usedSlots: state === 'busy' ? 1 : 0 })),
      }),
    };
  };
  const limits = ({ min, extra }: World) => ({ scaling: { min, max: min + extra, scaleDownDelay: '10s' } });
  const last = (world: World) => played(limits(world), at(world), { everyMs: 1000, forMs: 20_000 });

  it('the target is within min and max, and the size moves towards it only', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { target, replicas } = last(world);
        const current = world.pods.length;
        expect(target).toBeGreaterThanOrEqual(world.min);
        expect(target).toBeLessThanOrEqual(world.min + world.extra);
        expect(replicas).toBeGreaterThanOrEqual(Math.min(current, target));
        expect(replicas).toBeLessThanOrEqual(Math.max(current, target));
      }),
    );
  });

  it('more waiting never means fewer pods', () => {
    fc.assert(
      fc.property(worlds, fc.integer({ min: 1, max: 20 }), (world, more) => {
        const { target, replicas } = last(world);
        const busier = last({ ...world, waiting: world.waiting + more });
        expect(busier.target).toBeGreaterThanOrEqual(target);
        expect(busier.replicas).toBeGreaterThanOrEqual(replicas);
      }),
    );
  });

  it('a step down takes idle pods only, and never the last pod while something works or waits', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const { replicas, retreating } = last(world);
        if (retreating.type !== 'shrink') return;
        const idle = world.pods.flatMap((state, index) => (state === 'idle' ? [`p${index}`] : []));
        expect(retreating.candidates).toEqual(idle);
        expect(world.pods.length - replicas).toBeLessThanOrEqual(idle.length);
        if (replicas === 0) expect(world.waiting + world.workflowsWaiting + world.claims).toBe(0);
      }),
    );
  });
});
