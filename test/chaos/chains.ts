import type { Connection } from '@temporalio/client';

/** Where to look for chains. */
interface Place {
  readonly temporal: Connection;
  readonly namespace: string;
}

interface Execution {
  readonly workflowId?: string | null;
  readonly runId?: string | null;
}

/**
 * The first run IDs of all chains of a Temporal namespace, by workflow ID. Read from the histories: a list shows rows,
 * of which a chain that continues as new or is retried has several.
 */
export async function chainsIn(place: Place): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const chains = new Map<string, Set<string>>();
  for await (const execution of executionsIn(place)) {
    const id = execution.workflowId ?? '';
    chains.set(id, (chains.get(id) ?? new Set()).add(await firstRunOf(place, execution)));
  }
  return chains;
}

async function* executionsIn({ temporal, namespace }: Place): AsyncGenerator<Execution> {
  let nextPageToken = new Uint8Array();
  do {
    const request = { namespace, pageSize: 1_000, query: '', nextPageToken };
    const page = await temporal.workflowService.listWorkflowExecutions(request);
    for (const { execution } of page.executions) yield execution ?? {};
    nextPageToken = new Uint8Array(page.nextPageToken);
  } while (nextPageToken.length > 0);
}

async function firstRunOf({ temporal, namespace }: Place, execution: Execution): Promise<string> {
  const request = { namespace, execution, maximumPageSize: 1 };
  const { history } = await temporal.workflowService.getWorkflowExecutionHistory(request);
  return history?.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? '';
}
