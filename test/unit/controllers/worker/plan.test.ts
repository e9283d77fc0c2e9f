import { describe, expect, it } from '@jest/globals';
import type { ScaleIn } from '../../../../src/controllers/worker/memory.ts';
import { newMemory } from '../../../../src/controllers/worker/memory.ts';
import type { ObservedDeployment, ServedWorker } from '../../../../src/controllers/worker/observed.ts';
import { planWorker, type WorkerAction } from '../../../../src/controllers/worker/plan.ts';
import { desiredBudget } from '../../../../src/controllers/worker/budget.ts';
import { aDecision, aDeployment, anActivity, aServedWorker, desired } from '../../../builders/served.ts';
import { aPod, aQueue, aWorker, NOW_MS } from '../../../builders/worker.ts';

const NOW = new Date(NOW_MS);
/** Half of the spread of rechecks: at this moment it is none. */
const MIDDLE = new Date(NOW_MS + 500);

const actionsOf = (observed: ServedWorker, worker = aWorker()) => planWorker(worker, observed, NOW).actions;
const recheckOf = (observed: ServedWorker, worker = aWorker()) => planWorker(worker, observed, MIDDLE).recheckAfterMs;
const sized = (replicas: number, overrides: Partial<ServedWorker> = {}) =>
  aServedWorker({ decision: aDecision({ replicas, target: replicas, reason: 'why' }), ...overrides });

const { manifest } = desired;

describe('a pass over a Worker', () => {
  it.each<[string, ServedWorker, WorkerAction[]]>([
    ['does nothing where all is as it should be', aServedWorker(), []],
    [
      'creates the Deployment at its size',
      sized(2, { deployment: undefined }),
      [{ type: 'createDeployment', replicas: 2, manifest, because: 'Why' }],
    ],
    [
      'scales the Deployment up',
      sized(3, { deployment: aDeployment({ replicas: 1 }) }),
      [{ type: 'scaleDeployment', uid: 'd-1', from: 1, replicas: 3, because: 'Why' }],
    ],
    [
      'scales the Deployment down',
      sized(0, { deployment: aDeployment({ replicas: 1 }) }),
      [{ type: 'scaleDeployment', uid: 'd-1', from: 1, replicas: 0, because: 'Why' }],
    ],
    [
      'brings it to the present template at the size that it then has',
      sized(3, { deployment: aDeployment({ replicas: 1, hash: 'old' }) }),
      [
        { type: 'scaleDeployment', uid: 'd-1', from: 1, replicas: 3, because: 'Why' },
        { type: 'updateDeployment', uid: 'd-1', replicas: 3, manifest, because: 'The spec has changed' },
      ],
    ],
    [
      'writes it again where somebody took its hash off',
      aServedWorker({ deployment: aDeployment({ hash: undefined }) }),
      [{ type: 'updateDeployment', uid: 'd-1', replicas: 0, manifest, because: 'The spec has changed' }],
    ],
    [
      'never rolls while it shrinks: which pods go could not be foreseen',
      sized(1, { deployment: aDeployment({ replicas: 2, hash: 'old' }) }),
      [{ type: 'scaleDeployment', uid: 'd-1', from: 2, replicas: 1, because: 'Why' }],
    ],
    [
      'makes a budget last',
      aServedWorker({ hasBudget: false, deployment: aDeployment({ hash: 'old' }) }),
      [
        { type: 'updateDeployment', uid: 'd-1', replicas: 0, manifest, because: 'The spec has changed' },
        {
          type: 'createBudget',
          manifest: desiredBudget(aWorker()),
          because: 'A drain must take the pods of a pool one at a time',
        },
      ],
    ],
  ])('%s', (_, observed, expected) => expect(actionsOf(observed)).toEqual(expected));

  it('does not roll while the victims of a step down are not all gone', () => {
    const scaleIn: ScaleIn = { atMs: NOW_MS, size: 1, idle: ['a'], others: [] };
    const decision = aDecision({ memory: { ...newMemory(NOW_MS), scaleIn } });
    expect(actionsOf(aServedWorker({ decision, deployment: aDeployment({ hash: 'old' }) }))).toEqual([]);
  });

  it('marks pods, after the size and before all else', () => {
    const marks = [
      { pod: 'a', isBusy: true },
      { pod: 'b', isBusy: false },
    ];
    const decision = aDecision({ replicas: 1, marks });
    const actions = actionsOf(aServedWorker({ decision, hasBudget: false, deployment: aDeployment({ hash: 'old' }) }));
    expect(actions.map(({ type }) => type)).toEqual([
      'scaleDeployment',
      'markPod',
      'markPod',
      'updateDeployment',
      'createBudget',
    ]);
    expect(actions.slice(1, 3)).toEqual([
      expect.objectContaining({ pod: 'a', because: 'The pod works', annotations: expect.any(Object) }),
      {
        type: 'markPod',
        pod: 'b',
        because: 'The pod is idle',
        annotations: {
          'controller.kubernetes.io/pod-deletion-cost': null,
          'cluster-autoscaler.kubernetes.io/safe-to-evict': null,
          'karpenter.sh/do-not-disrupt': null,
        },
      },
    ]);
  });
});

describe('a pass does nothing, and comes back,', () => {
  it.each(['stranger', 'predecessor'] as const)(
    'while the Deployment is that of a %s',
    (owner: ObservedDeployment['owner']) => {
      const observed = sized(5, { deployment: aDeployment({ owner }), hasBudget: false });
      expect(planWorker(aWorker(), observed, NOW)).toEqual({ actions: [], recheckAfterMs: 30_000 });
    },
  );

  it('while the Worker cannot be served', () => {
    const objection = { reason: 'ConnectionNotFound', message: 'm', needsChange: false } as const;
    expect(planWorker(aWorker(), { kind: 'objected', objection }, NOW)).toEqual({
      actions: [],
      recheckAfterMs: 30_000,
    });
  });

  it('but not to a Worker that is being deleted: its Deployment goes with it', () => {
    const worker = aWorker({ metadata: { deletionTimestamp: '2026-01-01T12:00:00Z' } });
    expect(planWorker(worker, sized(5), NOW)).toEqual({ actions: [] });
  });
});

describe('the next look', () => {
  const busy = { busySlots: 0, share: 0, slotsPerPod: 1, isHost: false, claims: 0 };
  const remembering = (memory: object) => aDecision({ memory: { ...newMemory(NOW_MS), ...memory } });
  const twoPods = [anActivity('a'), anActivity('b')];

  it.each<[string, Partial<ServedWorker>, number]>([
    ['is cold where nothing happens', {}, 5_000],
    ['is the colder the more queues share the calls', { queues: 40 }, 10_000],
    ['is soon while something waits', { queue: aQueue({ waiting: 1 }) }, 2_000],
    ['is soon while a workflow waits', { queue: aQueue({ workflowsWaiting: 1 }) }, 2_000],
    ['is soon while a slot works', { decision: aDecision({ demand: { ...busy, busySlots: 1 } }) }, 2_000],
    ['is soon while a new run wants a pod', { decision: aDecision({ demand: { ...busy, claims: 1 } }) }, 2_000],
    ['is soon while the size changes', { decision: aDecision({ target: 1 }) }, 2_000],
    ['is soon while pods come or go', { decision: aDecision({ terminating: [aPod('a')] }) }, 2_000],
    ['is soon while more pods are there than asked for', { decision: aDecision({ live: twoPods }) }, 2_000],
    [
      'is soon while a pod is not ready',
      { decision: aDecision({ live: [anActivity('a', { pod: { isReady: false } })], replicas: 1 }), queue: undefined },
      2_000,
    ],
    [
      'is cold while Temporal is away, whatever was wanted',
      { queue: undefined, decision: aDecision({ demand: undefined, target: 1 }) },
      5_000,
    ],
    ['is at once while marks must show', { decision: aDecision({ retreating: { type: 'guard' } }) }, 1_000],
    ['is at once while marks must be known', { decision: remembering({ guardedSinceMs: NOW_MS }) }, 1_000],
    [
      'is at once while a step down is under way',
      { decision: remembering({ scaleIn: { atMs: NOW_MS, size: 1, idle: [], others: [] } }) },
      1_000,
    ],
  ])('%s', (_, observed, expected) => expect(recheckOf(aServedWorker(observed))).toBe(expected));

  it('is spread by a tenth each way, so that queues do not stay in step', () => {
    const recheck = (ms: number) => planWorker(aWorker(), aServedWorker(), new Date(NOW_MS + ms)).recheckAfterMs;
    expect([recheck(0), recheck(500), recheck(999)]).toEqual([4_500, 5_000, 5_499]);
  });
});
