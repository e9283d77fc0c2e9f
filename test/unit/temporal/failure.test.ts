import { describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import fc from 'fast-check';
import { AIWorkflow, type Failure } from '../../../src/api/aiworkflow.ts';
import { failedActivity, failureOf, type TemporalFailure } from '../../../src/temporal/failure.ts';
import { jsonPayload } from '../../../src/temporal/payload.ts';
import { long } from '../../builders/temporal.ts';

const { Failure: FailureMessage } = proto.temporal.api.failure.v1;

const application = (type: string, message: string, cause?: TemporalFailure): TemporalFailure => ({
  message,
  applicationFailureInfo: { type },
  ...(cause && { cause }),
});

const inActivity = (cause?: TemporalFailure, type = 'run_inference', startedEventId = 6): TemporalFailure => ({
  message: 'Activity task failed',
  activityFailureInfo: { activityType: { name: type }, startedEventId: long(startedEventId) },
  ...(cause && { cause }),
});

const inChild = (cause: TemporalFailure, workflowId = 'child', runId = 'child-run'): TemporalFailure => ({
  message: 'Child Workflow execution failed',
  childWorkflowExecutionFailureInfo: { workflowExecution: { workflowId, runId } },
  cause,
});

const timeout = (timeoutType: number): TemporalFailure =>
  FailureMessage.fromObject({ message: 'activity timeout', timeoutFailureInfo: { timeoutType } });

describe('a failure', () => {
  it.each<[string, TemporalFailure, Failure]>([
    [
      'that a workflow raised',
      application('ValueError', 'bad model'),
      { kind: 'Application', type: 'ValueError', message: 'bad model' },
    ],
    [
      'of an activity is that of the error in it',
      inActivity(application('ValueError', 'bad model', application('KeyError', 'weights'))),
      {
        kind: 'Application',
        type: 'ValueError',
        message: 'bad model',
        activity: 'run_inference',
        cause: [{ type: 'KeyError', message: 'weights' }],
      },
    ],
    [
      'of an activity in a child workflow names the activity',
      inChild(inActivity(application('OSError', 'disk full'))),
      { kind: 'Application', type: 'OSError', message: 'disk full', activity: 'run_inference' },
    ],
    [
      'by a timeout says which',
      inActivity(timeout(1)),
      { kind: 'Timeout', type: 'StartToClose', message: 'activity timeout', activity: 'run_inference' },
    ],
    [
      'by a timeout of an unknown sort',
      inActivity(timeout(99)),
      { kind: 'Timeout', message: 'activity timeout', activity: 'run_inference' },
    ],
    ['by cancellation', { message: 'canceled', canceledFailureInfo: {} }, { kind: 'Canceled', message: 'canceled' }],
    ['by termination', { message: 'ended', terminatedFailureInfo: {} }, { kind: 'Terminated', message: 'ended' }],
    ['of the server', { message: 'lost', serverFailureInfo: {} }, { kind: 'Server', message: 'lost' }],
    [
      'of a Nexus handler',
      {
        message: 'Nexus operation failed',
        nexusOperationExecutionFailureInfo: {},
        cause: { message: 'no', nexusHandlerFailureInfo: { type: 'BAD_REQUEST' } },
      },
      { kind: 'Nexus', type: 'BAD_REQUEST', message: 'no' },
    ],
    [
      'that is a wrapper and nothing in it',
      inActivity(undefined),
      { kind: 'Application', message: 'Activity task failed', activity: 'run_inference' },
    ],
    [
      'that is two wrappers shows the inner one',
      inChild(inActivity(undefined)),
      { kind: 'Application', message: 'Activity task failed', activity: 'run_inference' },
    ],
    ['of which nothing is known', {}, { kind: 'Application' }],
  ])('%s', (_, failure, expected) => expect(failureOf(failure)).toEqual(expected));

  it('tells how often the activity was tried, where that is known', () => {
    expect(failureOf(inActivity(application('E', 'm')), 3)).toEqual({
      kind: 'Application',
      type: 'E',
      message: 'm',
      activity: 'run_inference',
      attempts: 3,
    });
  });

  it('keeps the first five of its causes', () => {
    const chain = ['6', '5', '4', '3', '2', '1', '0'].reduce<TemporalFailure | undefined>(
      (cause, name) => application(name, '', cause),
      undefined,
    );
    expect(failureOf(chain!)).toEqual({
      kind: 'Application',
      type: '0',
      cause: [{ type: '1' }, { type: '2' }, { type: '3' }, { type: '4' }, { type: '5' }],
    });
  });

  it('that leads back to itself comes to an end', () => {
    const first: TemporalFailure = inActivity();
    first.cause = application('E', 'round and round', first);
    expect(failureOf(first)).toMatchObject({ type: 'E', message: 'round and round', activity: 'run_inference' });
    const wrapper: TemporalFailure = inActivity();
    wrapper.cause = wrapper;
    expect(failureOf(wrapper)).toEqual({
      kind: 'Application',
      message: 'Activity task failed',
      activity: 'run_inference',
    });
  });

  it('is cut at code points where it is too long', () => {
    const failure = failureOf(inActivity(application('t'.repeat(255) + 'é', '😀'.repeat(300)), 'a'.repeat(1_001)));
    expect(failure).toEqual({
      kind: 'Application',
      type: `${'t'.repeat(253)}…`,
      message: `${'😀'.repeat(255)}…`,
      activity: `${'a'.repeat(997)}…`,
    });
  });

  describe('that the SDK encoded', () => {
    const encoded = (encodedAttributes: TemporalFailure['encodedAttributes']): TemporalFailure => ({
      message: 'Encoded failure',
      applicationFailureInfo: { type: 'ValueError' },
      encodedAttributes: encodedAttributes ?? null,
    });

    it('shows the message where it is plain JSON, and never the stack trace', () => {
      const payload = jsonPayload({ message: 'bad model', stack_trace: 'in line 1' });
      expect(failureOf(encoded(payload))).toEqual({ kind: 'Application', type: 'ValueError', message: 'bad model' });
    });

    it.each([
      ['is encrypted', { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('{"message":1}') }],
      ['is no JSON', { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') }],
      ['has no message', jsonPayload({ stack_trace: 'in line 1' })],
      ['has a message that is no text', jsonPayload({ message: { a: 1 } })],
      ['is a list', jsonPayload(['message'])],
      ['is null', jsonPayload(null)],
    ])('says that it is encoded where the payload %s', (_, payload) =>
      expect(failureOf(encoded(payload))).toEqual({
        kind: 'Application',
        type: 'ValueError',
        message: 'Encoded failure',
      }),
    );
  });

  it('of any shape and length fits the schema of the status', () => {
    const schema = AIWorkflow.status.unwrap().shape.failure;
    const text = fc.string({ unit: 'grapheme', maxLength: 1_500 });
    const link = fc.record<TemporalFailure>(
      {
        message: text,
        applicationFailureInfo: fc.record({ type: text }),
        timeoutFailureInfo: fc.record({ timeoutType: fc.nat(9) as fc.Arbitrary<1> }),
        activityFailureInfo: fc.record({ activityType: fc.record({ name: text }) }),
        childWorkflowExecutionFailureInfo: fc.constant({}),
        encodedAttributes: fc.record({ data: fc.uint8Array(), metadata: fc.constant({}) }),
      },
      { requiredKeys: [] },
    );
    const chain = fc
      .array(link, { minLength: 1, maxLength: 60 })
      .map((links) => links.reduceRight((cause, one) => ({ ...one, cause })));
    fc.assert(
      fc.property(chain, (failure) => {
        const shown = failureOf(failure);
        expect(schema.parse(shown)).toEqual(shown);
        const texts = [shown.message, ...(shown.cause ?? []).map(({ message }) => message)];
        expect(texts.every((one) => Buffer.byteLength(one ?? '') <= 1_024)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the activity that failed', () => {
  it('is the first of the chain, with the event of its start', () => {
    expect(failedActivity(inActivity(inActivity(undefined, 'inner'), 'outer', 7))).toEqual({
      type: 'outer',
      startedEventID: 7,
    });
  });

  it('of a child workflow is looked for in the history of the innermost child around it', () => {
    const failure = inChild(inChild(inActivity(undefined, 'a', 9), 'inner', 'r-2'), 'outer', 'r-1');
    expect(failedActivity(failure)).toEqual({
      type: 'a',
      startedEventID: 9,
      child: { workflowID: 'inner', runID: 'r-2' },
    });
  });

  it('is none where no activity failed', () => {
    expect(failedActivity(inChild(application('E', 'm')))).toBeUndefined();
  });
});
