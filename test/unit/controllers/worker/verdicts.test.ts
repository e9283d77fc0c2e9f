import { describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../../src/api/conditions.ts';
import {
  nameTaken,
  objectedVerdicts,
  servedVerdicts,
  type Pass,
  type WorkerVerdicts,
} from '../../../../src/controllers/worker/verdicts.ts';
import { newMemory } from '../../../../src/controllers/worker/memory.ts';
import type { ServedWorker } from '../../../../src/controllers/worker/observed.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { aDecision, aDeployment, anActivity, aServedWorker } from '../../../builders/served.ts';
import { aWorker, NOW_MS } from '../../../builders/worker.ts';

const NOW = new Date(NOW_MS);

/** All conditions of a pass, each as `True Reason: message`. */
function verdicts({ observed = aServedWorker(), worker = aWorker(), ...rest }: Partial<Pass>): Record<string, string> {
  return inWords(servedVerdicts({ worker, observed, isWritten: false, ...rest }, NOW));
}

function inWords(all: WorkerVerdicts): Record<string, string> {
  const word = ({ status, reason, message }: Verdict) => `${status} ${reason}: ${message}`;
  return Object.fromEntries(Object.entries(all).map(([type, verdict]) => [type, word(verdict)]));
}

const withPods = (live: ServedWorker['decision']['live'], overrides: Partial<ServedWorker> = {}) =>
  aServedWorker({ deployment: aDeployment({ replicas: live.length }), decision: aDecision({ live }), ...overrides });

const unready = (pod: object = {}) => anActivity('a', { pod: { isReady: false, ...pod } });
const error = (reason: OperatorError['reason'], retry: OperatorError['retry'] = 'backoff') =>
  new OperatorError(reason, 'words', { retry });

const accepted = 'True Reconciled: The spec is valid and its references resolve';
const ready = 'True Reconciled: The pool serves the task queue ai-inference';
const scaling = 'True ScalingActive: Replicas follow the task queue';
const within = 'False WithinLimits: No more replicas are needed than scaling.max allows';
const usual = { Accepted: accepted, Ready: ready, ScalingActive: scaling, ScalingLimited: within };

describe('a Worker that cannot be served', () => {
  const objection = { reason: 'ConnectionNotFound', message: 'there is none' } as const;
  it.each([
    [true, 'Stalled'],
    [false, 'Reconciling'],
  ])('and needs a change (%p) is %s', (needsChange, type) => {
    expect(inWords(objectedVerdicts({ ...objection, needsChange }))).toEqual({
      Accepted: 'False ConnectionNotFound: there is none',
      Ready: 'False ConnectionNotFound: there is none',
      [type]: 'True ConnectionNotFound: there is none',
    });
  });
});

describe('a pool', () => {
  it('at zero that needs no pod is ready and available', () => {
    expect(verdicts({})).toEqual({ ...usual, Available: 'True Reconciled: No pod is needed' });
  });

  it('with a ready pod is ready and available', () => {
    expect(verdicts({ observed: withPods([anActivity('a')]) })).toEqual({
      ...usual,
      Available: 'True Reconciled: At least one pod is ready',
    });
  });

  it('that starts its first pod is ready, for scaling never changes that, and not available', () => {
    expect(verdicts({ observed: withPods([unready({ waitingReason: 'pulling' })]) })).toEqual({
      ...usual,
      Available: 'False PodsNotReady: 0 pods ready: pulling',
    });
  });
});

describe('a pool is not ready', () => {
  const cases: readonly (readonly [string, Partial<Pass>, Record<string, string>])[] = [
    [
      'while its Deployment is not there',
      { observed: aServedWorker({ deployment: undefined }) },
      {
        Ready: 'False Progressing: The Deployment does not exist yet',
        Reconciling: 'True Progressing: The Deployment does not exist yet',
      },
    ],
    [
      'when its Deployment was just created',
      { observed: aServedWorker({ deployment: undefined }), isWritten: true },
      {
        Ready: 'False Progressing: The Deployment was just created',
        Reconciling: 'True Progressing: The Deployment was just created',
      },
    ],
    [
      'when its Deployment cannot be created for now',
      { observed: aServedWorker({ deployment: undefined }), error: error('KubernetesUnavailable') },
      { Ready: 'False KubernetesUnavailable: words', Reconciling: 'True KubernetesUnavailable: words' },
    ],
    [
      'when its template is rejected, until that is changed',
      { error: error('TemplateRejected') },
      { Ready: 'False TemplateRejected: words', Stalled: 'True TemplateRejected: words' },
    ],
    [
      'when no waiting mends what is wrong',
      { error: error('KubernetesRejected', 'never') },
      { Ready: 'False KubernetesRejected: words', Stalled: 'True KubernetesRejected: words' },
    ],
    [
      'while a stranger has its name',
      { observed: aServedWorker({ deployment: aDeployment({ owner: 'stranger' }) }) },
      {
        Ready: `False NameTaken: ${nameTaken('gpu-pool').message}`,
        Stalled: `True NameTaken: ${nameTaken('gpu-pool').message}`,
      },
    ],
    [
      'while the Deployment of a predecessor goes',
      { observed: aServedWorker({ deployment: aDeployment({ owner: 'predecessor' }) }) },
      {
        Ready: 'False Progressing: The Deployment gpu-pool of an earlier Worker of that name is on its way out',
        Reconciling: 'True Progressing: The Deployment gpu-pool of an earlier Worker of that name is on its way out',
      },
    ],
    [
      'while pods of an earlier template are left',
      { observed: withPods([anActivity('a', { pod: { templateHash: 'old' } }), anActivity('b')]) },
      {
        Ready: 'False RollingOut: 1 pod of an earlier template left. 2 pods ready',
        Reconciling: 'True RollingOut: 1 pod of an earlier template left. 2 pods ready',
      },
    ],
    [
      'when a rollout makes no progress',
      {
        observed: withPods([unready()], {
          deployment: aDeployment({ replicas: 1, deadlineExceeded: 'ReplicaSet has timed out progressing' }),
        }),
      },
      {
        Ready: 'False ProgressDeadlineExceeded: ReplicaSet has timed out progressing. 0 pods ready',
        Stalled: 'True ProgressDeadlineExceeded: ReplicaSet has timed out progressing. 0 pods ready',
      },
    ],
    [
      'when its template cannot be written for now',
      { observed: aServedWorker({ deployment: aDeployment({ hash: 'other' }) }), error: error('KubernetesForbidden') },
      { Ready: 'False KubernetesForbidden: words', Reconciling: 'True KubernetesForbidden: words' },
    ],
    [
      'below its least size, which time may mend or not',
      { worker: aWorker({ scaling: { min: 2 } }), observed: withPods([anActivity('a'), unready()]) },
      { Ready: 'False PodsNotReady: 1 pod ready; at least 2 must be' },
    ],
    [
      'at zero where somebody asks for pods',
      { worker: aWorker({ scaling: { mode: 'Fixed' }, spec: { replicas: 3 } }) },
      { Ready: 'False PodsNotReady: 0 pods ready; at least 1 must be' },
    ],
  ];

  it.each(cases)('%s', (_, pass, expected) => {
    const { Ready, Reconciling, Stalled, Accepted } = verdicts(pass);
    expect({ Ready, Reconciling, Stalled }).toEqual({ Reconciling: undefined, Stalled: undefined, ...expected });
    expect(Accepted).toBe(accepted);
  });

  it.each(cases)('%s, and says no two of Ready, Reconciling and Stalled at once', (_, pass) => {
    const { Ready, Reconciling, Stalled } = verdicts(pass);
    expect([Ready, Reconciling, Stalled].filter((verdict) => verdict?.startsWith('True')).length).toBeLessThan(2);
  });

  it('but for what nobody waits for: Fixed at zero', () => {
    const worker = aWorker({ scaling: { mode: 'Fixed' }, spec: { replicas: 0 } });
    expect(verdicts({ worker })).toMatchObject({ Ready: ready });
  });
});

describe('a pool is not available', () => {
  it('where a quota refuses its pods', () => {
    const deployment = aDeployment({ replicas: 2, replicaFailure: 'exceeded quota: gpus' });
    expect(verdicts({ observed: aServedWorker({ deployment }) })).toMatchObject({
      Available: 'False QuotaExceeded: exceeded quota: gpus',
    });
  });

  it('where pods were just asked for', () => {
    expect(verdicts({ scaledTo: 1 })).toMatchObject({ Available: 'False PodsNotReady: 0 pods ready' });
  });
});

describe('GPUs that are waited for', () => {
  const stuck = unready({ unschedulable: '0/3 nodes are available: 3 Insufficient nvidia.com/gpu' });

  it('are told in the words of the scheduler', () => {
    const worker = aWorker({ spec: { gpu: { count: 1 } } });
    expect(verdicts({ worker, observed: withPods([stuck, stuck]) })).toMatchObject({
      PendingGpu:
        'True Unschedulable: 2 pods cannot be scheduled: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu',
    });
  });

  it('are no matter of pods without any', () => {
    expect(verdicts({ observed: withPods([stuck]) })).not.toHaveProperty('PendingGpu');
  });
});

describe('a pool whose Temporal is away', () => {
  const awayFor = (ms: number) =>
    aServedWorker({
      queue: undefined,
      temporal: { reason: 'TemporalUnavailable', message: 'Could not look' },
      decision: aDecision({ demand: undefined, memory: { ...newMemory(NOW_MS), awaySinceMs: NOW_MS - ms } }),
    });

  it('says so after a while, and how large it stays', () => {
    expect(verdicts({ observed: awayFor(14_999) })).not.toHaveProperty('TemporalReachable');
    expect(verdicts({ observed: awayFor(15_000) })).toMatchObject({
      TemporalReachable: 'False TemporalUnavailable: Could not look',
      ScalingActive: 'False TemporalUnavailable: The pool keeps its size until Temporal answers',
    });
  });

  it('goes to the size that is meant for that', () => {
    const worker = aWorker({ scaling: { fallbackReplicas: 2 } });
    expect(verdicts({ worker, observed: awayFor(60_000) })).toMatchObject({
      ScalingActive: 'False TemporalUnavailable: The pool goes to 2 replicas until Temporal answers',
    });
  });
});
