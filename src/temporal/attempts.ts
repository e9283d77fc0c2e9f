import { asOperatorError } from '../errors.ts';
import type { TemporalClient } from './clients.ts';
import type { HistoryEvent } from './closing.ts';
import { failedActivity, type TemporalFailure } from './failure.ts';

/** A failed run: its closing event and the failure in it. */
export interface FailedRun {
  readonly workflowID: string;
  readonly runID: string;
  readonly eventID: number;
  readonly raw: TemporalFailure;
}

/** So far back from the end of a history is looked. A page of that many events costs the server little. */
const MAX_EVENTS = 256;

/**
 * How often the activity that failed a run was tried; undefined where no
 * activity did, where its start is too far back, and where Temporal does not
 * tell: the end of a run must not wait for it. The failure itself does not say:
 * the event that started the last attempt does. Throws where it was given up.
 */
export async function attemptsOf(
  client: TemporalClient,
  run: FailedRun,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const activity = failedActivity(run.raw);
  if (!activity?.startedEventID) return undefined;
  const { workflowID, runID } = activity.child ?? run;
  const maximumPageSize = activity.child ? MAX_EVENTS : run.eventID - activity.startedEventID + 1;
  if (maximumPageSize > MAX_EVENTS) return undefined;
  const request = { execution: { workflowId: workflowID, runId: runID }, maximumPageSize };
  const options = { what: `read the history of the run ${workflowID}`, priority: 'completion', signal } as const;
  const page = await client
    .call('getWorkflowExecutionHistoryReverse', request, options)
    .catch(nothingUnlessGivenUp(signal));
  return attemptIn(page?.history?.events ?? [], activity.startedEventID);
}

/** The answer may be larger than is taken, the child forgotten, or Temporal away by now. */
function nothingUnlessGivenUp(signal: AbortSignal | undefined) {
  return (thrown: unknown): undefined => {
    if (signal?.aborted || asOperatorError(thrown).reason === 'InternalError') throw thrown;
  };
}

function attemptIn(events: readonly HistoryEvent[], startedEventID: number): number | undefined {
  const started = events.find(({ eventId }) => eventId?.toNumber() === startedEventID);
  return started?.activityTaskStartedEventAttributes?.attempt ?? undefined;
}
