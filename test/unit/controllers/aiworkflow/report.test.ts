import { describe, expect, it } from '@jest/globals';
import type { AIWorkflow } from '../../../../src/api/aiworkflow.ts';
import type { ObservedRun } from '../../../../src/controllers/aiworkflow/observed.ts';
import { FINALIZER, type RunAction } from '../../../../src/controllers/aiworkflow/plan.ts';
import { reportRun } from '../../../../src/controllers/aiworkflow/report.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { aConnectionView, anAIWorkflow, aStartRequest, aWorld, started } from '../../../builders/aiworkflow.ts';

const NOON = new Date('2026-01-01T12:00:00.000Z');
const LATER = new Date('2026-01-01T12:01:30.000Z');

function report(
  resource: AIWorkflow,
  observed: ObservedRun,
  extra: { applied?: RunAction[]; error?: OperatorError; now?: Date } = {},
) {
  const { applied = [], error, now = NOON } = extra;
  return reportRun(resource, { observed, applied, ...(error && { error }) }, now);
}

function statuses(status: ReturnType<typeof report>): Record<string, string> {
  return Object.fromEntries(
    (status?.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );
}

const start: RunAction = {
  type: 'start',
  because: 'b',
  request: aStartRequest,
  outcome: {
    kind: 'started',
    workflowID: 'default/team-a/summarize',
    runID: 'r-1',
    firstRunID: 'r-1',
    startTime: NOON,
  },
};

const live = anAIWorkflow({ metadata: { finalizers: [FINALIZER] }, status: started });
const ended = (outcome: 'Succeeded' | 'Failed' | 'Terminated', extra = {}): ObservedRun =>
  aWorld({ run: { kind: 'ended', runID: 'r-2', outcome, closeTime: LATER, ...extra } });

describe('a start', () => {
  it('is told in one write: identity, time, and that the run is ready', () => {
    const status = report(anAIWorkflow(), aWorld({ start: aStartRequest }), { applied: [start] });
    const { conditions: _, ...figures } = status!;
    expect(figures).toEqual(started);
    expect(statuses(status)).toEqual({
      Accepted: 'True Reconciled',
      Ready: 'True Started',
      Succeeded: 'Unknown Running',
      Finished: 'False Running',
    });
  });

  it('is not readiness where only success is', () => {
    const status = report(anAIWorkflow({ spec: { readyWhen: 'Succeeded' } }), aWorld({ start: aStartRequest }), {
      applied: [start],
    });
    expect(statuses(status)).toMatchObject({ Ready: 'False Running', Reconciling: 'True Running' });
  });

  it('links to the page of the run', () => {
    const observed = aWorld({
      connection: aConnectionView({ namespace: 'prod', uiUrl: 'http://ui/' }),
    });
    expect(report(anAIWorkflow(), observed, { applied: [start] })?.temporal?.url).toBe(
      'http://ui/namespaces/prod/workflows/default%2Fteam-a%2Fsummarize/r-1/history',
    );
  });

  it('names a Temporal that is away, and goes on trying', () => {
    const error = new OperatorError('TemporalUnavailable', 'Could not start the run', { retry: 'backoff' });
    const status = report(anAIWorkflow(), aWorld({ start: aStartRequest }), { error });
    expect(statuses(status)).toMatchObject({
      Accepted: 'True Reconciled',
      Ready: 'False TemporalUnavailable',
      Reconciling: 'True TemporalUnavailable',
    });
    expect(status?.phase).toBe('Pending');
  });

  it('is stalled by a workflow ID that is taken', () => {
    const error = new OperatorError('WorkflowIDTaken', 'm', { retry: { afterMs: 1 } });
    expect(statuses(report(anAIWorkflow(), aWorld({ start: aStartRequest }), { error }))).toMatchObject({
      Stalled: 'True WorkflowIDTaken',
    });
  });
});

describe('an objection', () => {
  it.each([
    [true, 'Stalled'],
    [false, 'Reconciling'],
  ])('that needs a change of the spec (%s) is %s', (needsChange, type) => {
    const observed = aWorld({
      start: { reason: 'WorkerNotFound', message: 'spec.workflow.workerRef: no', needsChange },
    });
    const status = report(anAIWorkflow(), observed);
    expect(statuses(status)).toEqual({
      Accepted: 'False WorkerNotFound',
      Ready: 'False WorkerNotFound',
      [type]: 'True WorkerNotFound',
      Succeeded: 'Unknown WorkerNotFound',
      Finished: 'False WorkerNotFound',
    });
  });
});

describe('an end', () => {
  it('in success carries the result', () => {
    const status = report(live, ended('Succeeded', { result: { value: { x: null }, isTruncated: false } }), {
      now: LATER,
    });
    expect(status).toMatchObject({
      phase: 'Succeeded',
      result: { x: null },
      duration: '1m30s',
      completionTime: LATER.toISOString(),
    });
    expect(status?.temporal).toMatchObject({ runID: 'r-2', firstRunID: 'r-1' });
    expect(statuses(status)).toEqual({
      Accepted: 'True Reconciled',
      Ready: 'True Succeeded',
      Succeeded: 'True Succeeded',
      Finished: 'True Succeeded',
    });
  });

  it('keeps a null result', () => {
    expect(report(live, ended('Succeeded', { result: { value: null, isTruncated: false } }))).toHaveProperty(
      'result',
      null,
    );
  });

  it('in failure says where and why in one sentence', () => {
    const failure = {
      kind: 'Application',
      type: 'ValueError',
      message: 'boom',
      activity: 'run_inference',
      attempts: 3,
    };
    const status = report(live, ended('Failed', { failure }));
    expect(statuses(status)).toEqual({
      Accepted: 'True Reconciled',
      Ready: 'False Failed',
      Stalled: 'True Failed',
      Succeeded: 'False Failed',
      Finished: 'True Failed',
    });
    expect(status?.conditions?.find(({ type }) => type === 'Finished')?.message).toBe(
      'The run failed: activity run_inference, attempt 3: ValueError: boom',
    );
  });

  it('is written once: a second report of the same end says the same', () => {
    const first = report(live, ended('Terminated'), { now: LATER })!;
    const again = report({ ...live, status: first }, ended('Terminated'), { now: new Date(LATER.getTime() + 5000) });
    expect(again).toEqual(first);
  });

  it('is repeated for a new generation, so that kubectl wait returns after an edit', () => {
    const status = report(live, ended('Succeeded'))!;
    const edited = anAIWorkflow({ metadata: { generation: 2 }, status });
    expect(report(edited, aWorld())?.conditions?.every(({ observedGeneration }) => observedGeneration === 2)).toBe(
      true,
    );
  });
});

describe('a run that Temporal does not know', () => {
  const since = new Date(NOON.getTime() - 60_000);
  it('is lost after two answers a minute apart', () => {
    const status = report(live, aWorld({ run: { kind: 'notFound', since } }));
    expect(status?.phase).toBe('Lost');
    expect(statuses(status)).toMatchObject({
      Finished: 'True NotFound',
      Succeeded: 'Unknown NotFound',
      Stalled: 'True NotFound',
    });
  });

  it('is not lost after one', () => {
    expect(report(live, aWorld({ run: { kind: 'notFound', since: NOON } }))?.phase).toBe('Running');
  });
});

describe('Temporal away', () => {
  const away = (ms: number) =>
    aWorld({
      connection: aConnectionView({ awaySince: new Date(NOON.getTime() - ms) }),
    });
  it('is told after half a minute and never as a failure', () => {
    const status = report(live, away(30_000));
    expect(statuses(status)).toMatchObject({ Ready: 'True Started', TemporalReachable: 'False TemporalUnavailable' });
    expect(status?.phase).toBe('Running');
  });
  it('is not worth a write before', () => {
    expect(statuses(report(live, away(29_000)))).not.toHaveProperty('TemporalReachable');
  });
});

describe('a run that Temporal does not tell about', () => {
  const unknown = (ms: number) => {
    const since = new Date(NOON.getTime() - ms);
    return aWorld({ run: { kind: 'unknown', reason: 'TemporalForbidden', message: 'Could not read the end', since } });
  };

  it('says so after half a minute, and goes on', () => {
    const status = report(live, unknown(30_000));
    expect(statuses(status)).toMatchObject({ Ready: 'True Started', TemporalReachable: 'False TemporalForbidden' });
    expect(status?.phase).toBe('Running');
    expect(statuses(report(live, unknown(29_000)))).not.toHaveProperty('TemporalReachable');
  });
});

describe('a connection that does not work', () => {
  const broken = (ms?: number) => {
    const since = ms === undefined ? undefined : new Date(NOON.getTime() - ms);
    return aWorld({
      connection: { isUsable: false, reason: 'ConnectionNotReady', message: 'm', needsChange: false, since },
    });
  };

  it.each([
    ['for long', 30_000, 'False ConnectionNotReady'],
    ['for longer than is known', undefined, 'False ConnectionNotReady'],
    ['just now', 29_000, undefined],
  ])('%s, is told of its runs as it should be', (_, ms, told) => {
    expect(statuses(report(live, broken(ms)))['TemporalReachable']).toBe(told);
  });
});

it('a run that would be started while Temporal is away waits for it, and says so', () => {
  const connection = aConnectionView({ awaySince: NOON });
  expect(statuses(report(anAIWorkflow(), aWorld({ connection, start: aStartRequest })))).toMatchObject({
    Accepted: 'True Reconciled',
    Ready: 'False TemporalUnavailable',
    Reconciling: 'True TemporalUnavailable',
  });
});

describe('a deletion', () => {
  const deleted = anAIWorkflow({
    metadata: { finalizers: [FINALIZER], deletionTimestamp: NOON.toISOString() },
    status: started,
  });
  it('says what it waits for', () => {
    const run = { workflowID: 'w', firstRunID: 'r-1' };
    const status = report(deleted, aWorld({ run: { kind: 'live' }, deletion: { run, seenAt: NOON } }));
    expect(statuses(status)).toMatchObject({ Ready: 'False Deleting', Reconciling: 'True Deleting' });
  });
  it('says why it does not get on', () => {
    const wrong = { kind: 'unknown', reason: 'WrongCluster', message: 'elsewhere', since: NOON } as const;
    const status = report(deleted, aWorld({ run: wrong, deletion: { seenAt: NOON } }));
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toMatch(/elsewhere$/);
  });
  it('writes nothing more once the finalizer is off', () => {
    const applied: RunAction[] = [{ type: 'removeFinalizer', because: 'b' }];
    expect(report(deleted, aWorld({ deletion: { seenAt: NOON } }), { applied })).toBeUndefined();
  });
});

it('never has two of Ready, Reconciling and Stalled true', () => {
  const worlds = [
    aWorld(),
    ended('Failed'),
    ended('Succeeded'),
    aWorld({ start: aStartRequest }),
    aWorld({ start: { reason: 'NotAllowed', message: '', needsChange: true } }),
  ];
  for (const world of worlds) {
    const true_ = (report(anAIWorkflow(), world)?.conditions ?? []).filter(
      ({ type, status }) => ['Ready', 'Reconciling', 'Stalled'].includes(type) && status === 'True',
    );
    expect(true_.length).toBeLessThanOrEqual(1);
  }
});
