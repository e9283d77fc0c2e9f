import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import type { TemporalClient } from './clients.ts';
import { statusOf, type RunStatus } from './describe.ts';
import { ownerIn, type Owner } from './memo.ts';

/** One run as Temporal's visibility store lists it: some time after the fact, and without its result or chain. */
export interface Row extends Owner {
  readonly workflowID: string;
  readonly runID: string;
  readonly status: RunStatus;
  readonly startMs: number;
  readonly closeMs?: number | undefined;
  readonly taskQueue: string;
}

/** The most rows that a page may have. */
const PAGE = 1_000;

/** All runs that match `query`, page by page. Throws an OperatorError. */
export async function* listRows(
  client: TemporalClient,
  query: string,
  signal: AbortSignal,
  pageSize = PAGE,
): AsyncGenerator<readonly Row[]> {
  const options = { what: 'list runs', priority: 'completion', signal } as const;
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const page = await client.call('listWorkflowExecutions', { query, pageSize, nextPageToken }, options);
    yield page.executions.map(rowOf);
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0);
}

/** Runs by the beginning of their workflow IDs, by these whole, and by their own IDs. */
export interface Wanted {
  readonly prefix?: string | undefined;
  /** All of them `canBeNamed`. */
  readonly workflowIDs?: readonly string[];
  readonly runIDs?: readonly string[];
}

/** The condition of a query that a run is wanted. */
export function among({ prefix, workflowIDs = [], runIDs = [] }: Wanted): string {
  const begins = prefix === undefined ? [] : [`WorkflowId STARTS_WITH ${quote(prefix)}`];
  return `(${[...begins, ...isOneOf('WorkflowId', workflowIDs), ...isOneOf('RunId', runIDs)].join(' OR ')})`;
}

function isOneOf(field: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`${field} IN (${values.map(quote).join(', ')})`];
}

/**
 * Whether a query finds a workflow ID that it names. The server writes every
 * string that it has read again in its own way, and not the way it reads them:
 * one with a quote, a backslash or a control character mostly finds nothing, however it is
 * escaped (measured on 1.32.0).
 */
export function canBeNamed(workflowID: string): boolean {
  return !/['"\\\p{Cc}]/u.test(workflowID);
}

/** The condition of a query that a run was started or closed after a time. */
export function changedAfter(ms: number): string {
  const time = quote(new Date(ms).toISOString());
  return `(CloseTime > ${time} OR StartTime > ${time})`;
}

/** The condition of a query that a run has not ended. */
export const LIVE = "(ExecutionStatus = 'Running' OR ExecutionStatus = 'Paused')";

/** The condition of a query that a run has ended. */
export const CLOSED = "(ExecutionStatus != 'Running' AND ExecutionStatus != 'Paused')";

/** A string of the query language, which nothing in it can leave. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

function rowOf(run: temporal.api.workflow.v1.WorkflowExecutionInfo.$Properties): Row {
  return {
    workflowID: run.execution?.workflowId ?? '',
    runID: run.execution?.runId ?? '',
    status: statusOf(run.status),
    startMs: optionalTsToMs(run.startTime) ?? 0,
    closeMs: optionalTsToMs(run.closeTime),
    taskQueue: run.taskQueue ?? '',
    ...ownerIn(run.memo),
  };
}
