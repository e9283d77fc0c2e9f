import { describe, expect, it } from '@jest/globals';
import type { ObservedRun } from '../../../../src/controllers/aiworkflow/observed.ts';
import { FINALIZER, planRun } from '../../../../src/controllers/aiworkflow/plan.ts';
import { aConnectionView, anAIWorkflow, aStartRequest, aWorld, started } from '../../../builders/aiworkflow.ts';

const DELETED = '2026-01-01T12:00:00.000Z';
const after = (seconds: number) => new Date(Date.parse(DELETED) + seconds * 1000);
const run = { workflowID: 'default/team-a/summarize', firstRunID: 'r-1' };
const finished = {
  ...started,
  conditions: [
    { type: 'Finished', status: 'True' as const, reason: 'Succeeded', message: '', lastTransitionTime: DELETED },
  ],
};
const types = (plan: { actions: readonly { type: string }[] }) => plan.actions.map(({ type }) => type);
const guarded = { finalizers: [FINALIZER] };

describe('before the start', () => {
  it('sets the finalizer first, so that no live run is without', () => {
    expect(types(planRun(anAIWorkflow(), aWorld({ start: aStartRequest }), after(0)))).toEqual([
      'addFinalizer',
      'start',
    ]);
  });

  it('only starts when the finalizer is there', () => {
    expect(types(planRun(anAIWorkflow({ metadata: guarded }), aWorld({ start: aStartRequest }), after(0)))).toEqual([
      'start',
    ]);
  });

  it('does nothing but look again while there is an objection', () => {
    const start = { reason: 'WorkerNotFound', message: 'm', needsChange: false } as const;
    expect(planRun(anAIWorkflow(), aWorld({ start }), after(0))).toEqual({ actions: [], recheckAfterMs: 30_000 });
  });
});

it('does not start through a connection whose Temporal is away', () => {
  const connection = aConnectionView({ awaySince: after(0) });
  expect(types(planRun(anAIWorkflow(), aWorld({ connection, start: aStartRequest }), after(5)))).toEqual([]);
});

describe('while the run lives', () => {
  const live = anAIWorkflow({ metadata: guarded, status: started });

  it('never starts it again, whatever Temporal has forgotten', () => {
    expect(planRun(live, aWorld({ run: { kind: 'live' } }), after(0))).toEqual({ actions: [] });
    expect(
      planRun(live, aWorld({ start: aStartRequest, run: { kind: 'notFound', since: after(0) } }), after(0)),
    ).toEqual({
      actions: [],
      recheckAfterMs: 60_000,
    });
  });

  it.each([
    [0, 2_000],
    [10, 10_000],
    [3_600, 60_000],
  ])('asks again where Temporal has not told for %i s', (seconds, recheckAfterMs) => {
    const run = { kind: 'unknown', reason: 'TemporalForbidden', message: '', since: after(0) } as const;
    expect(planRun(live, aWorld({ run }), after(seconds))).toEqual({ actions: [], recheckAfterMs });
  });

  it('does not poll', () => {
    expect(planRun(live, aWorld(), after(0)).recheckAfterMs).toBeUndefined();
  });
});

describe('after the end', () => {
  it('removes the finalizer, once', () => {
    expect(types(planRun(anAIWorkflow({ metadata: guarded, status: finished }), aWorld(), after(0)))).toEqual([
      'removeFinalizer',
    ]);
    expect(types(planRun(anAIWorkflow({ status: finished }), aWorld(), after(0)))).toEqual([]);
  });
});

describe('deletion', () => {
  const deleted = (spec: Record<string, unknown> = {}, status = started) =>
    anAIWorkflow({ metadata: { ...guarded, deletionTimestamp: DELETED }, spec, status });
  const live = (overrides: Partial<NonNullable<ObservedRun['deletion']>> = {}): ObservedRun =>
    aWorld({ run: { kind: 'live' }, deletion: { run, seenAt: after(0), ...overrides } });
  const unknown = { kind: 'unknown', reason: 'TemporalUnavailable', message: 'silent', since: after(0) } as const;
  const unreachable = (hastyAfter?: number, seenAfter = 0): ObservedRun =>
    aWorld({
      run: unknown,
      deletion: {
        ...{ run, seenAt: after(seenAfter) },
        ...(hastyAfter !== undefined && { hastySince: after(hastyAfter) }),
      },
    });
  const forbidden = aWorld({
    run: { ...unknown, reason: 'TemporalForbidden' },
    deletion: { run, seenAt: after(0) },
  });
  const away = aWorld({
    connection: aConnectionView({ awaySince: after(0) }),
    run: unknown,
    deletion: { run, seenAt: after(0) },
  });
  const ended = aWorld({
    run: { kind: 'ended', runID: 'r-1', outcome: 'Canceled', closeTime: after(1) },
    deletion: { run, seenAt: after(0) },
  });

  it.each([
    ['asks a live run to cancel', deleted(), live(), 0, ['cancel']],
    ['asks once', deleted(), live({ asked: 'cancel' }), 10, []],
    ['terminates at once by policy', deleted({ deletionPolicy: 'Terminate' }), live(), 0, ['terminate']],
    ['leaves an abandoned run alone', deleted({ deletionPolicy: 'Abandon' }), live(), 0, ['removeFinalizer']],
    ['terminates after deletionTimeout', deleted(), live({ asked: 'cancel' }), 60, ['terminate']],
    ['does not terminate before', deleted(), live({ asked: 'cancel' }), 59, []],
    ['honours a longer deletionTimeout', deleted({ deletionTimeout: '1h' }), live({ asked: 'cancel' }), 3599, []],
    ['goes once the run has ended', deleted(), ended, 1, ['removeFinalizer']],
    [
      'goes where there is no run',
      deleted({}, {}),
      aWorld({ run: { kind: 'live' }, deletion: { seenAt: after(0) } }),
      0,
      ['removeFinalizer'],
    ],
    ['waits for Temporal to come back', deleted(), unreachable(), 59, []],
    ['asks also where Temporal does not tell how the run is', deleted(), forbidden, 0, ['cancel']],
    [
      'goes in any case five minutes after deletionTimeout',
      deleted(),
      unreachable(),
      360,
      ['terminate', 'removeFinalizer'],
    ],
    [
      'goes after 30 s where nobody can repair anything',
      deleted(),
      unreachable(0),
      30,
      ['terminate', 'removeFinalizer'],
    ],
    ['gives an orderly deletion that becomes hasty late as long', deleted(), unreachable(50), 79, []],
    ['asks nothing of a Temporal that is away', deleted(), away, 59, []],
    ['goes without a last blow that could only be in vain', deleted(), away, 360, ['removeFinalizer']],
    ['has its chance after an operator that was away', deleted(), unreachable(undefined, 3600), 3629, []],
    ['and no more than that', deleted(), unreachable(undefined, 3600), 3630, ['terminate', 'removeFinalizer']],
    ['does not go before that', deleted(), unreachable(0), 29, []],
    [
      'does nothing without its finalizer',
      anAIWorkflow({ metadata: { deletionTimestamp: DELETED, finalizers: ['x/y'] }, status: started }),
      live(),
      0,
      [],
    ],
  ] as const)('%s', (...[, resource, observed, seconds, expected]) => {
    expect(types(planRun(resource, observed, after(seconds)))).toEqual(expected);
  });

  it('looks again no later than the next thing is due', () => {
    expect(planRun(deleted(), live({ asked: 'cancel' }), after(55)).recheckAfterMs).toBe(5_000);
    expect(planRun(deleted(), live({ asked: 'cancel' }), after(10)).recheckAfterMs).toBe(15_000);
  });

  it('never believes that there is no run while Temporal is away', () => {
    const observed = aWorld({ run: unknown, deletion: { seenAt: after(0) } });
    expect(types(planRun(deleted({}, {}), observed, after(100)))).toEqual([]);
  });
});
