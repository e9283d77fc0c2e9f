import type { temporal } from '@temporalio/proto';
import type { TemporalClient } from '../../src/temporal/clients.ts';
import { aTemporal, listed, type ListedRun } from './temporal.ts';

/** A run in a visibility store; what is stored shows from `visibleAtMs` on, by the clock of the store. */
export interface StoredRun extends ListedRun {
  readonly visibleAtMs?: number;
}

/**
 * A visibility store that understands the queries of `visibility.ts` and no
 * others. Its clock is what the test sets, and nobody else's.
 */
export class VisibilityStore {
  readonly queries: string[] = [];
  readonly runs: StoredRun[] = [];
  nowMs = 0;
  readonly client: TemporalClient;
  private readonly pageSize: number;

  constructor(pageSize = 1_000) {
    this.pageSize = pageSize;
    this.client = aTemporal({
      listWorkflowExecutions: ({ query, pageSize: asked, nextPageToken }) =>
        this.page(query ?? '', Math.min(this.pageSize, asked ?? 0), nextPageToken?.[0] ?? 0),
    });
  }

  private page(query: string, size: number, index: number) {
    if (index === 0) this.queries.push(query);
    const rows = this.matching(query);
    const isLast = (index + 1) * size >= rows.length;
    return {
      executions: rows.slice(index * size, (index + 1) * size),
      nextPageToken: isLast ? new Uint8Array() : Uint8Array.of(index + 1),
    };
  }

  /** Latest first, as stores list them. */
  private matching(query: string): temporal.api.workflow.v1.WorkflowExecutionInfo[] {
    const since = /CloseTime > '([^']+)'/.exec(query)?.[1];
    const sinceMs = since === undefined ? -Infinity : Date.parse(since);
    const isWanted = ({ startMs, closeMs, workflowID, visibleAtMs = 0 }: StoredRun) =>
      visibleAtMs <= this.nowMs &&
      Math.max(startMs, closeMs ?? 0) > sinceMs &&
      isAmong(query, workflowID) &&
      !(query.startsWith('(ExecutionStatus =') && closeMs !== undefined) &&
      !(query.startsWith('(ExecutionStatus !=') && closeMs === undefined);
    const order = ({ startMs, closeMs = startMs }: StoredRun) => -closeMs;
    return this.runs
      .filter(isWanted)
      .sort((one, other) => order(one) - order(other))
      .map(listed);
  }
}

function isAmong(query: string, workflowID: string): boolean {
  const prefix = /STARTS_WITH '([^']*)'/.exec(query)?.[1];
  return (prefix !== undefined && workflowID.startsWith(prefix)) || query.includes(`'${workflowID}'`);
}
