import type { Connection } from '@temporalio/client';
import { until } from '../../cluster/poll.ts';

/** One run as its own history tells of it. */
export interface HistoricRun {
  readonly runID: string;
  /** The first run of its chain: the chain's identity. */
  readonly firstRunID: string;
  readonly attempt: number;
}

/** Reads the chains of runs of one Temporal namespace from their histories: a list shows rows, not chains. */
export class Chains {
  private readonly connection: Connection;
  private readonly namespace: string;

  constructor(connection: Connection, namespace: string) {
    this.connection = connection;
    this.namespace = namespace;
  }

  /** First run IDs of all chains under that workflow ID. */
  async of(workflowID: string): Promise<string[]> {
    return [...new Set((await this.runsOf(workflowID)).map(({ firstRunID }) => firstRunID))];
  }

  /** The same for all of the Temporal namespace, by workflow ID. */
  async all(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const chains = new Map<string, Set<string>>();
    for await (const { workflowId, runId } of this.executions()) {
      const { firstRunID } = await this.historyOf(workflowId, runId);
      chains.set(workflowId, (chains.get(workflowId) ?? new Set()).add(firstRunID));
    }
    return chains;
  }

  /** Every run under that workflow ID. */
  async runsOf(workflowID: string): Promise<HistoricRun[]> {
    const { executions } = await this.connection.workflowService.listWorkflowExecutions({
      namespace: this.namespace,
      query: `WorkflowId = '${workflowID}'`,
    });
    return Promise.all(executions.map(({ execution }) => this.historyOf(workflowID, execution?.runId ?? '')));
  }

  /** Where the latest run under that workflow ID stands, as Temporal names it: `RUNNING`, `COMPLETED`, `CANCELED`, … */
  async statusOf(workflowID: string): Promise<string> {
    const { workflowExecutionInfo } = await this.connection.workflowService.describeWorkflowExecution({
      namespace: this.namespace,
      execution: { workflowId: workflowID },
    });
    return statuses[workflowExecutionInfo?.status ?? 0] ?? 'UNKNOWN';
  }

  /** Returns once the latest run stands there. */
  async untilStatus(workflowID: string, status: string, ms = 30_000): Promise<void> {
    await until(`${workflowID} to be ${status}`, ms, async () => (await this.statusOf(workflowID)) === status);
  }

  /** Sends a signal, whose only argument is `value`. */
  async signal(workflowID: string, signalName: string, value: unknown): Promise<void> {
    const metadata = { encoding: Buffer.from('json/plain') };
    await this.connection.workflowService.signalWorkflowExecution({
      namespace: this.namespace,
      workflowExecution: { workflowId: workflowID },
      signalName,
      input: { payloads: [{ metadata, data: Buffer.from(JSON.stringify(value)) }] },
    });
  }

  private async *executions(): AsyncGenerator<{ readonly workflowId: string; readonly runId: string }> {
    let nextPageToken = new Uint8Array();
    do {
      const request = { namespace: this.namespace, pageSize: 1_000, query: '', nextPageToken };
      const page = await this.connection.workflowService.listWorkflowExecutions(request);
      for (const { execution } of page.executions) {
        yield { workflowId: execution?.workflowId ?? '', runId: execution?.runId ?? '' };
      }
      nextPageToken = new Uint8Array(page.nextPageToken);
    } while (nextPageToken.length > 0);
  }

  private async historyOf(workflowId: string, runId: string): Promise<HistoricRun> {
    const { history } = await this.connection.workflowService.getWorkflowExecutionHistory({
      ...{ namespace: this.namespace, execution: { workflowId, runId }, maximumPageSize: 1 },
    });
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
    return { runID: runId, firstRunID: started?.firstExecutionRunId ?? '', attempt: started?.attempt ?? 0 };
  }
}

/** By the numbers of Temporal's API. */
const statuses = [
  'UNKNOWN',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELED',
  'TERMINATED',
  'CONTINUED_AS_NEW',
  'TIMED_OUT',
  'PAUSED',
];
