import { describe, expect, it } from '@jest/globals';
import { OperatorError } from '../../../src/errors.ts';
import { attemptsOf } from '../../../src/temporal/attempts.ts';
import { aTemporal, long } from '../../builders/temporal.ts';

const raw = {
  message: 'Activity task failed',
  activityFailureInfo: { activityType: { name: 'train' }, startedEventId: long(6) },
};
const failed = { workflowID: 'default/team-a/x', runID: 'run', eventID: 9, raw };
const history = { events: [{ eventId: long(6), activityTaskStartedEventAttributes: { attempt: 3 } }] };

describe('the attempts of the activity that failed a run', () => {
  it('are read from the event that started the last one, with the events from there to the end', async () => {
    const asked: unknown[] = [];
    const client = aTemporal({
      getWorkflowExecutionHistoryReverse: ({ maximumPageSize }) => {
        asked.push(maximumPageSize);
        return { history };
      },
    });
    expect(await attemptsOf(client, failed)).toBe(3);
    expect(asked).toEqual([4]);
  });

  it('are not looked for too far back', async () => {
    expect(await attemptsOf(aTemporal({}), { ...failed, eventID: 6 + 256 })).toBeUndefined();
  });

  it.each(['TooLarge', 'TemporalUnavailable', 'TemporalForbidden', 'NotFound'] as const)(
    'stay unknown, and the failure known, where the answer is %s',
    async (reason) => expect(await attemptsOf(refusing(reason), failed)).toBeUndefined(),
  );

  it('are no reason to hide a defect of ours', async () => {
    await expect(attemptsOf(refusing('InternalError'), failed)).rejects.toMatchObject({ reason: 'InternalError' });
  });

  it('are no answer of one who was told to give up', async () => {
    const client = refusing('TemporalUnavailable');
    await expect(attemptsOf(client, failed, AbortSignal.abort())).rejects.toThrow();
  });
});

function refusing(reason: OperatorError['reason']) {
  return aTemporal({
    getWorkflowExecutionHistoryReverse: () => {
      throw new OperatorError(reason, 'Could not read', { retry: 'backoff' });
    },
  });
}
