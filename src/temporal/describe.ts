import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import { OperatorError } from '../errors.ts';
import type { CallOptions, ResponseOf } from './call.ts';
import type { TemporalClient } from './clients.ts';
import { ownerIn, type Owner } from './memo.ts';

/** Where a run stands. `ContinuedAsNew` ends a run and not its chain; `Paused` ends nothing. */
export type RunStatus =
  'Running' | 'Completed' | 'Failed' | 'Canceled' | 'Terminated' | 'ContinuedAsNew' | 'TimedOut' | 'Paused' | 'Unknown';

/** By the numbers of Temporal's API. */
const statuses: readonly RunStatus[] = [
  'Unknown',
  'Running',
  'Completed',
  'Failed',
  'Canceled',
  'Terminated',
  'ContinuedAsNew',
  'TimedOut',
  'Paused',
];

/** One run, and the chain it belongs to. */
export interface RunDescription extends Owner {
  readonly workflowID: string;
  readonly runID: string;
  /** The first run of the chain: its identity. */
  readonly firstRunID: string;
  readonly status: RunStatus;
  /** Running or paused. */
  readonly isLive: boolean;
  /** The run completed. */
  readonly succeeded: boolean;
  readonly type: string;
  readonly taskQueue: string;
  /** Events so far. */
  readonly historyLength: number;
  readonly startTime: Date;
  readonly closeTime?: Date | undefined;
  /** Request IDs of every start that led to this run. */
  readonly requestIDs: readonly string[];
  /** The run that a reset made of this one. */
  readonly resetRunID?: string | undefined;
  readonly cancelRequested: boolean;
}

/** Which run: without `runID` the current one of the workflow ID. */
export interface RunRef {
  readonly workflowID: string;
  readonly runID?: string | undefined;
}

/** Describes a run; undefined where Temporal does not know it. Throws an OperatorError. */
export async function describeRun(
  client: TemporalClient,
  { workflowID, runID }: RunRef,
  signal?: AbortSignal,
  priority: CallOptions['priority'] = 'control',
): Promise<RunDescription | undefined> {
  const options = { what: `look at the run ${workflowID}`, priority, signal };
  const execution = { workflowId: workflowID, runId: runID ?? '' };
  const response = await orUndefined(client.call('describeWorkflowExecution', { execution }, options));
  return response && decode(response);
}

/** For calls about one run: that Temporal does not know it is an answer. */
export async function orUndefined<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof OperatorError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}

/** The status of that number; `Unknown` for one that this version has not heard of. */
export function statusOf(status: temporal.api.enums.v1.WorkflowExecutionStatus | null | undefined): RunStatus {
  return statuses[status ?? 0] ?? 'Unknown';
}

function decode({
  workflowExecutionInfo,
  workflowExtendedInfo,
}: ResponseOf<'describeWorkflowExecution'>): RunDescription {
  const about = workflowExecutionInfo ?? {};
  const status = statusOf(about.status);
  return {
    ...identityIn(about),
    ...ownerIn(about.memo),
    ...extensionsIn(workflowExtendedInfo),
    status,
    isLive: status === 'Running' || status === 'Paused',
    succeeded: status === 'Completed',
    historyLength: about.historyLength?.toNumber() ?? 0,
    startTime: optionalTsToDate(about.startTime) ?? new Date(0),
    closeTime: optionalTsToDate(about.closeTime),
  };
}

function identityIn({
  execution,
  firstRunId,
  type,
  taskQueue,
}: temporal.api.workflow.v1.WorkflowExecutionInfo.$Properties) {
  const runID = execution?.runId ?? '';
  return {
    workflowID: execution?.workflowId ?? '',
    runID,
    firstRunID: firstRunId || runID,
    type: type?.name ?? '',
    taskQueue: taskQueue ?? '',
  };
}

function extensionsIn(about: temporal.api.workflow.v1.WorkflowExecutionExtendedInfo.$Properties | null | undefined) {
  return {
    requestIDs: Object.keys(about?.requestIdInfos ?? {}),
    resetRunID: about?.resetRunId || undefined,
    cancelRequested: about?.cancelRequested ?? false,
  };
}
