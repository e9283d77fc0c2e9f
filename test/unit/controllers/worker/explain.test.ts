import { describe, expect, it } from '@jest/globals';
import type { PoolFacts } from '../../../../src/controllers/worker/decide.ts';
import type { Demand } from '../../../../src/controllers/worker/desired.ts';
import { counted, explain, type Choice } from '../../../../src/controllers/worker/explain.ts';
import { newMemory } from '../../../../src/controllers/worker/memory.ts';
import type { Sensed } from '../../../../src/controllers/worker/sense.ts';
import { aPod, aQueue, aWorker, facts, NOW_MS } from '../../../builders/worker.ts';

const demand = (overrides: Partial<Demand> = {}): Demand => ({
  ...{ busySlots: 0, share: 0, slotsPerPod: 1, isHost: false, claims: 0 },
  ...overrides,
});

const sensed = (overrides: Partial<Sensed> = {}): Sensed => ({
  ...{ live: [], terminating: [], waiting: 0, expiredClaims: 0, demand: demand(), memory: newMemory(NOW_MS) },
  ...overrides,
});

const choice = (overrides: Partial<Choice> = {}): Choice => ({
  ...{ target: 0, replicas: 0, retreating: { type: 'none' } },
  ...overrides,
});

const busyPod = { pod: aPod('a'), state: 'busy', usedSlots: 0, isBlind: false } as const;
const away = { demand: undefined };

describe('the reason of a size', () => {
  it.each<[string, Partial<PoolFacts>, Partial<Sensed>, Partial<Choice>]>([
    ['nothing to do: 0 replicas', {}, {}, {}],
    ['nothing waits, pods still work or start: 1 replica', {}, { live: [busyPod] }, { target: 1, replicas: 1 }],
    [
      '25 tasks waiting, 3 slots busy: 4 replicas',
      { queue: aQueue({ waiting: 24, workflowsWaiting: 1 }) },
      { demand: demand({ busySlots: 3 }) },
      { target: 4, replicas: 4 },
    ],
    [
      '1 task waiting, 0 slots busy: 1 replica',
      { queue: aQueue({ waiting: 1 }) },
      { demand: demand({ share: 1 }) },
      { target: 1, replicas: 1 },
    ],
    ['2 new runs: 2 replicas', {}, { demand: demand({ claims: 2 }) }, { target: 2, replicas: 2 }],
    ['Temporal does not answer: 3 replicas', {}, away, { target: 3, replicas: 3 }],
    ['Temporal does not answer: 3 replicas', { queue: undefined }, {}, { target: 3, replicas: 3 }],
    ['nothing to do: 4 replicas, on the way to 8', {}, {}, { target: 8, replicas: 4 }],
    ['nothing to do: 4 replicas, 0 after scaleDownDelay (5m)', {}, {}, { replicas: 4 }],
    ['nothing to do: 4 replicas, 0 next', {}, {}, { replicas: 4, retreating: { type: 'guard' } }],
    [
      'nothing to do: 4 replicas, 0 wanted, but a rollout is under way',
      {},
      {},
      { replicas: 4, retreating: { type: 'hold', because: 'a rollout is under way' } },
    ],
  ])('%s', (text, inFacts, inSensed, inChoice) => {
    expect(explain(aWorker().spec, facts(inFacts), sensed(inSensed), choice(inChoice))).toBe(text);
  });

  it.each([
    [false, 'as spec.replicas says: 2 replicas'],
    [true, 'as before the mode changed: 2 replicas'],
  ])('that somebody else decides, kept or not (%p), is theirs', (isSizeKept, text) => {
    const { spec } = aWorker({ scaling: { mode: 'External' } });
    expect(explain(spec, facts({ isSizeKept }), sensed(), choice({ target: 2, replicas: 2 }))).toBe(text);
  });
});

it('counts in words', () => {
  expect([0, 1, 2].map((count) => counted(count, 'pod'))).toEqual(['0 pods', '1 pod', '2 pods']);
});
