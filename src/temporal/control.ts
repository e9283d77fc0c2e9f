import type { TemporalClient } from './clients.ts';
import { orUndefined } from './describe.ts';

/** A chain of runs, by its first: a later chain under the same workflow ID is somebody else's and is never touched. */
export interface ChainRef {
  readonly workflowID: string;
  readonly firstRunID: string;
  /** Shown in the history. */
  readonly reason: string;
}

/** Asks the current run of the chain to cancel. Again, or where nothing is left to cancel, is as good as once. */
export async function cancelRun(
  client: TemporalClient,
  { workflowID, firstRunID, reason }: ChainRef,
  signal?: AbortSignal,
): Promise<void> {
  const request = {
    workflowExecution: { workflowId: workflowID },
    firstExecutionRunId: firstRunID,
    identity: client.identity,
    requestId: `cancel-${firstRunID}`,
    reason,
  };
  const options = { what: `cancel the run ${workflowID}`, priority: 'control', signal } as const;
  await orUndefined(client.call('requestCancelWorkflowExecution', request, options));
}

/** Ends the current run of the chain at once. Again, or where nothing is left to end, is as good as once. */
export async function terminateRun(
  client: TemporalClient,
  { workflowID, firstRunID, reason }: ChainRef,
  signal?: AbortSignal,
): Promise<void> {
  const request = {
    workflowExecution: { workflowId: workflowID },
    firstExecutionRunId: firstRunID,
    identity: client.identity,
    reason,
  };
  const options = { what: `terminate the run ${workflowID}`, priority: 'control', signal } as const;
  await orUndefined(client.call('terminateWorkflowExecution', request, options));
}
