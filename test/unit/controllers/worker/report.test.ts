import { describe, expect, it } from '@jest/globals';
import type { Condition } from '../../../../src/api/conditions.ts';
import { Worker, type WorkerStatus } from '../../../../src/api/worker.ts';
import type { ObservedWorker } from '../../../../src/controllers/worker/observed.ts';
import type { WorkerAction } from '../../../../src/controllers/worker/plan.ts';
import { reportWorker } from '../../../../src/controllers/worker/report.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { aDecision, aDeployment, aServedWorker, desired } from '../../../builders/served.ts';
import { aQueue, aWorker, NOW_MS } from '../../../builders/worker.ts';

const NOW = new Date(NOW_MS);

interface Passed {
  readonly observed?: ObservedWorker;
  readonly applied?: readonly WorkerAction[];
  readonly error?: OperatorError;
  readonly failed?: WorkerAction;
}

const report = (worker: Worker, { applied = [], ...rest }: Passed, now = NOW) =>
  reportWorker(worker, { applied, ...rest }, now);

const condition = (type: string, status: Condition['status'], reason: string, message: string): Condition => ({
  type,
  status,
  reason,
  message,
  observedGeneration: 1,
  lastTransitionTime: NOW.toISOString(),
});

const none = { total: 0, activities: 0, workflows: 0, ageSeconds: 0, addedPerMinute: 0, dispatchedPerMinute: 0 };

/** What is written of a pool at zero that has nothing to do. */
const atZero: WorkerStatus = {
  observedGeneration: 1,
  ...{ replicas: 0, readyReplicas: 0, updatedReplicas: 0, desiredReplicas: 0 },
  ...{ selector: 'aiworkflow.dev/worker=gpu-pool', ready: '0/0' },
  ...{ backlog: none, busySlots: 0, totalSlots: 0, pollers: 0, scaleReason: 'nothing to do: 0 replicas' },
  conditions: [
    condition('Accepted', 'True', 'Reconciled', 'The spec is valid and its references resolve'),
    condition('Ready', 'True', 'Reconciled', 'The pool serves the task queue ai-inference'),
    condition('Available', 'True', 'Reconciled', 'No pod is needed'),
    condition('ScalingActive', 'True', 'ScalingActive', 'Replicas follow the task queue'),
    condition('ScalingLimited', 'False', 'WithinLimits', 'No more replicas are needed than scaling.max allows'),
  ],
};

const action = (type: 'createDeployment' | 'createBudget'): WorkerAction =>
  type === 'createBudget'
    ? { type, manifest: {}, because: 'b' }
    : { type, replicas: 2, manifest: desired.manifest, because: 'b' };

const error = (reason: OperatorError['reason'], retry: OperatorError['retry'] = 'backoff') =>
  new OperatorError(reason, 'words', { retry });

describe('the status of a Worker', () => {
  it('is written whole, and fits its schema', () => {
    const status = report(aWorker(), { observed: aServedWorker() });
    expect(status).toEqual(atZero);
    expect(Worker.status.parse(status)).toEqual(status);
  });

  it('has the size that a pass has asked for', () => {
    const observed = aServedWorker({ deployment: undefined, decision: aDecision({ replicas: 2 }) });
    expect(report(aWorker(), { observed, applied: [action('createDeployment')] })).toMatchObject({
      ...{ desiredReplicas: 2, ready: '0/2', lastScaleTime: NOW.toISOString() },
      conditions: expect.arrayContaining([
        condition('Reconciling', 'True', 'Progressing', 'The Deployment was just created'),
      ]),
    });
  });

  it('does not change for a budget that is refused: pools work without one', () => {
    const refused = { observed: aServedWorker(), error: error('KubernetesForbidden'), failed: action('createBudget') };
    expect(report(aWorker(), refused)).toEqual(atZero);
  });

  it('is left alone while a Worker is being deleted', () => {
    const worker = aWorker({ metadata: { deletionTimestamp: '2026-01-01T12:00:00Z' } });
    expect(report(worker, { observed: aServedWorker() })).toBeUndefined();
  });
});

describe('figures', () => {
  const changed = aServedWorker({ queue: aQueue({ waiting: 3 }), figuresWrittenMs: NOW_MS });
  const later = (ms: number) => new Date(NOW_MS + ms);

  it('alone are written every fifteen seconds', () => {
    const worker = aWorker({ status: atZero });
    expect(report(worker, { observed: changed }, later(14_999))).toBeUndefined();
    expect(report(worker, { observed: changed }, later(15_000))).toMatchObject({ backlog: { total: 3 } });
  });

  it.each<[string, Worker, ObservedWorker]>([
    ['a new generation', aWorker({ status: atZero, metadata: { generation: 2 } }), changed],
    ['another size', aWorker({ status: atZero }), { ...changed, deployment: aDeployment({ replicas: 1 }) }],
    [
      'a condition that turns',
      aWorker({ status: atZero }),
      { ...changed, deployment: aDeployment({ owner: 'stranger' }) },
    ],
    ['a status that was never written', aWorker(), changed],
  ])('are written at once with %s', (_, worker, observed) => {
    expect(report(worker, { observed })).toMatchObject({ backlog: { total: 3 } });
  });
});

describe('a Worker that cannot be served', () => {
  const objection = { reason: 'ConnectionNotFound', message: 'there is none', needsChange: false } as const;
  const no = ['ConnectionNotFound', 'there is none'] as const;

  it('says why, and keeps the figures it had', () => {
    expect(report(aWorker({ status: atZero }), { observed: { kind: 'objected', objection } })).toEqual({
      ...atZero,
      conditions: [
        condition('Accepted', 'False', ...no),
        condition('Ready', 'False', ...no),
        condition('Reconciling', 'True', ...no),
      ],
    });
  });
});

describe('a pass that could read nothing', () => {
  it('says so the first time, and of every generation', () => {
    const words = ['KubernetesUnavailable', 'words'] as const;
    expect(report(aWorker(), { error: error('KubernetesUnavailable') })).toEqual({
      observedGeneration: 1,
      conditions: [
        condition('Accepted', 'False', ...words),
        condition('Ready', 'False', ...words),
        condition('Reconciling', 'True', ...words),
      ],
    });
  });

  it('leaves what was said before', () => {
    expect(report(aWorker({ status: atZero }), { error: error('KubernetesUnavailable') })).toBeUndefined();
    expect(report(aWorker(), {})).toBeUndefined();
  });

  it('but says what no waiting mends', () => {
    expect(report(aWorker({ status: atZero }), { error: error('InvalidSpec', 'never') })).toMatchObject({
      conditions: expect.arrayContaining([condition('Stalled', 'True', 'InvalidSpec', 'words')]),
    });
  });
});
