import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import type { Failure } from '../api/aiworkflow.ts';
import { boundBytes, MAX_MESSAGE_BYTES } from '../api/conditions.ts';
import type { TemporalFailure } from './failure.ts';
import { resultOf, type RunResult } from './result.ts';

/** An event of a run's history. */
export type HistoryEvent = temporal.api.history.v1.HistoryEvent.$Properties;

/** How a chain of runs can end. */
export type RunOutcome = 'Succeeded' | 'Failed' | 'Canceled' | 'Terminated' | 'TimedOut';

/** What the last event of a run says. */
export interface Closing {
  readonly outcome: RunOutcome | 'ContinuedAsNew';
  readonly eventID: number;
  readonly closeTime: Date;
  /** The run that carries the chain on: after continue-as-new, a retry, or by a cron schedule. */
  readonly nextRunID?: string | undefined;
  readonly result?: RunResult | undefined;
  /** Why it did not succeed; of a workflow that failed itself, `raw` says so. */
  readonly failure?: Failure | undefined;
  readonly raw?: TemporalFailure | undefined;
}

type Reading = Omit<Closing, 'eventID' | 'closeTime'>;

/** Reads the closing event of a run; undefined where the event does not close it. */
export function closingIn(event: HistoryEvent | undefined): Closing | undefined {
  const reading = event && (completed(event) ?? failed(event) ?? canceled(event) ?? stopped(event));
  if (!reading) return undefined;
  return {
    ...reading,
    eventID: event.eventId?.toNumber() ?? 0,
    closeTime: optionalTsToDate(event.eventTime) ?? new Date(0),
  };
}

function completed(event: HistoryEvent): Reading | undefined {
  const {
    workflowExecutionCompletedEventAttributes: completion,
    workflowExecutionContinuedAsNewEventAttributes: next,
  } = event;
  if (next) return { outcome: 'ContinuedAsNew', nextRunID: next.newExecutionRunId || undefined };
  if (!completion) return undefined;
  const { result, newExecutionRunId } = completion;
  return { outcome: 'Succeeded', nextRunID: newExecutionRunId || undefined, result: resultOf(result?.payloads) };
}

function failed({ workflowExecutionFailedEventAttributes: failure }: HistoryEvent): Reading | undefined {
  if (!failure) return undefined;
  const raw = failure.failure ?? {};
  return { outcome: 'Failed', nextRunID: failure.newExecutionRunId || undefined, raw };
}

function canceled({ workflowExecutionCanceledEventAttributes: cancel }: HistoryEvent): Reading | undefined {
  return cancel ? { outcome: 'Canceled', failure: { kind: 'Canceled', message: 'The run was canceled' } } : undefined;
}

function stopped(event: HistoryEvent): Reading | undefined {
  const { workflowExecutionTimedOutEventAttributes: timeout, workflowExecutionTerminatedEventAttributes: end } = event;
  if (timeout) {
    const failure = { kind: 'Timeout', message: 'The run exceeded its execution or run timeout' };
    return { outcome: 'TimedOut', nextRunID: timeout.newExecutionRunId || undefined, failure };
  }
  if (!end) return undefined;
  const message = [end.reason, end.identity && `by ${end.identity}`].filter(Boolean).join(', ');
  return { outcome: 'Terminated', failure: { kind: 'Terminated', message: boundBytes(message, MAX_MESSAGE_BYTES) } };
}
