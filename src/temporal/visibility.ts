import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import { OperatorError } from '../errors.ts';
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

/** The most rows that a page may have. Of a kilobyte each in general, and of 2 MiB where their memos are that large. */
const PAGE = 1_000;

/** All runs that match `query`, page by page, in smaller pages where their memos are large. Throws an OperatorError. */
export async function* listRows(
  client: TemporalClient,
  query: string,
  signal: AbortSignal,
  pageSize = PAGE,
): AsyncGenerator<readonly Row[]> {
  const options = { what: 'list runs', priority: 'completion', signal } as const;
  let request = { query, pageSize, nextPageToken: new Uint8Array() as Uint8Array };
  for (;;) {
    const page = await client.call('listWorkflowExecutions', request, options).catch(nothingIfTooLarge(request));
    if (!page) {
      request = { ...request, pageSize: Math.ceil(request.pageSize / 4) };
      continue;
    }
    yield page.executions.map(rowOf);
    if (page.nextPageToken.length === 0) return;
    request = { ...request, nextPageToken: page.nextPageToken };
  }
}

/** A page with fewer rows may still be small enough. */
function nothingIfTooLarge({ pageSize }: { readonly pageSize: number }) {
  return (thrown: unknown): undefined => {
    if (pageSize === 1 || !(thrown instanceof OperatorError) || thrown.reason !== 'TooLarge') throw thrown;
  };
}

/** The condition of a query that a run's ID begins with `prefix` or is among `workflowIDs`. */
export function among(prefix: string | undefined, workflowIDs: readonly string[]): string {
  const begins = prefix === undefined ? [] : [`WorkflowId STARTS_WITH ${quote(prefix)}`];
  const is = workflowIDs.length === 0 ? [] : [`WorkflowId IN (${workflowIDs.map(quote).join(', ')})`];
  return `(${[...begins, ...is].join(' OR ')})`;
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

/** A string of the query language, whatever is in it. */
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
