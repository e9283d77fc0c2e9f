import { describe, expect, it } from '@jest/globals';
import { figuresOf, sizeAfter, whyNotReady } from '../../../../src/controllers/worker/figures.ts';
import { newMemory, type PodMemory } from '../../../../src/controllers/worker/memory.ts';
import { aDecision, aDeployment, anActivity, aServedWorker } from '../../../builders/served.ts';
import { aQueue, aWorker, NOW_MS } from '../../../builders/worker.ts';

const NOW = new Date(NOW_MS);
const EARLIER = '2026-01-01T11:00:00.000Z';

const polling: PodMemory = { firstSeenMs: 0, isBornHere: false, pollingSinceMs: 1, workers: new Map() };
const memory = { ...newMemory(NOW_MS), pods: new Map([['a', polling]]) };

const none = { total: 0, activities: 0, workflows: 0, ageSeconds: 0, addedPerMinute: 0, dispatchedPerMinute: 0 };

describe('the figures of a Worker', () => {
  it('of a pool at zero are all zero', () => {
    expect(figuresOf(aWorker(), aServedWorker(), undefined, NOW)).toEqual({
      ...{ replicas: 0, readyReplicas: 0, updatedReplicas: 0, desiredReplicas: 0 },
      ...{ selector: 'aiworkflow.dev/worker=gpu-pool', ready: '0/0' },
      ...{ backlog: none, busySlots: 0, totalSlots: 0, pollers: 0 },
      scaleReason: 'nothing to do: 0 replicas',
    });
  });

  it('count pods, slots, tasks and GPUs', () => {
    const live = [
      anActivity('a', { usedSlots: 3, totalSlots: 4 }),
      anActivity('b', { usedSlots: 1, totalSlots: undefined, pod: { templateHash: 'old' } }),
      anActivity('c', { pod: { isReady: false, unschedulable: '0/3 nodes' } }),
    ];
    const rates = { ageSeconds: 12.6, addedPerSecond: 0.51, dispatchedPerSecond: 0.25 };
    const queue = {
      ...aQueue(),
      activities: { waiting: 5, ...rates },
      workflows: { waiting: 2, ageSeconds: 1, addedPerSecond: 0.5, dispatchedPerSecond: 0 },
    };
    const observed = aServedWorker({
      ...{ queue, deployment: aDeployment({ replicas: 4 }) },
      decision: aDecision({ live, memory, reason: 'why' }),
    });
    expect(figuresOf(aWorker({ spec: { gpu: { count: 2 } } }), observed, undefined, NOW)).toEqual({
      ...{ replicas: 3, readyReplicas: 2, updatedReplicas: 2, desiredReplicas: 4 },
      ...{ selector: 'aiworkflow.dev/worker=gpu-pool', ready: '2/4' },
      backlog: { total: 7, activities: 5, workflows: 2, ageSeconds: 13, addedPerMinute: 61, dispatchedPerMinute: 15 },
      ...{ busySlots: 4, totalSlots: 5, pollers: 1 },
      gpus: { perPod: 2, requested: 8, pending: 2 },
      scaleReason: 'why',
    });
  });

  it('that Temporal does not tell this time stay as they were', () => {
    const status = { backlog: { ...none, total: 3 }, busySlots: 2, totalSlots: 4, pollers: 1 };
    expect(figuresOf(aWorker({ status }), aServedWorker({ queue: undefined }), undefined, NOW)).toMatchObject(status);
    const fresh = figuresOf(aWorker(), aServedWorker({ queue: undefined }), undefined, NOW);
    expect(Object.keys(fresh)).not.toEqual(expect.arrayContaining(['backlog', 'busySlots', 'totalSlots', 'pollers']));
  });

  it.each([
    ['has changed', 3, aDeployment({ replicas: 2 }), NOW.toISOString()],
    ['was created', 1, undefined, NOW.toISOString()],
    ['was created at zero', 0, undefined, EARLIER],
    ['was asked for and is what it was', 2, aDeployment({ replicas: 2 }), EARLIER],
    ['was not asked for', undefined, aDeployment({ replicas: 2 }), EARLIER],
  ])('tell when the size %s', (_, scaledTo, deployment, lastScaleTime) => {
    const worker = aWorker({ status: { lastScaleTime: EARLIER } });
    expect(figuresOf(worker, aServedWorker({ deployment }), scaledTo, NOW)).toMatchObject({ lastScaleTime });
  });
});

it('the size after a pass is what was asked for, else what was there', () => {
  const observed = aServedWorker({ deployment: aDeployment({ replicas: 2 }) });
  expect([sizeAfter(observed, 5), sizeAfter(observed, 0), sizeAfter(observed, undefined)]).toEqual([5, 0, 2]);
  expect(sizeAfter(aServedWorker({ deployment: undefined }), undefined)).toBe(0);
});

describe('why pods are not ready', () => {
  const down = (name: string, pod: object) => anActivity(name, { pod: { isReady: false, ...pod } });

  it.each([
    ['nobody says', [anActivity('a'), down('b', {})], undefined, '1 pod ready'],
    [
      'the scheduler says',
      [down('a', { unschedulable: 'no nodes', waitingReason: 'x' })],
      undefined,
      '0 pods ready: no nodes',
    ],
    ['the kubelet says', [down('a', { waitingReason: 'ErrImagePull' })], undefined, '0 pods ready: ErrImagePull'],
    ['the Deployment says', [], 'exceeded quota', '0 pods ready: exceeded quota'],
    [
      'all say, each once, three in all',
      ['1', '1', '2', '3'].map((reason, index) => down(String(index), { waitingReason: reason })),
      'quota',
      '0 pods ready: quota; 1; 2',
    ],
  ])('is what %s', (_, live, replicaFailure, expected) => {
    const deployment = aDeployment({ replicaFailure });
    expect(whyNotReady(aServedWorker({ deployment, decision: aDecision({ live }) }))).toBe(expected);
  });
});
