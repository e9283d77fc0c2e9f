import proto from '@temporalio/proto';
import type { AIWorkflow } from '../../api/aiworkflow.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import { orUndefined } from '../../temporal/describe.ts';

/** More runs than this are not asked one by one: the pods' own beats must do. */
const MOST_RUNS = 50;
/** A server that hangs must not hold the pass for long: it is asked again in the next. */
const DEADLINE_MS = 2_000;

const { PENDING_ACTIVITY_STATE_STARTED: STARTED } = proto.temporal.api.enums.v1.PendingActivityState;

/**
 * How many activities of these runs Temporal says are running on `taskQueue`:
 * the last question before a pool goes to zero, for a pod that was lost may
 * have left one behind that is about to be tried again. Throws an OperatorError.
 */
export async function startedActivities(
  client: TemporalClient,
  runs: readonly AIWorkflow[],
  taskQueue: string,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (const { status } of latest(runs)) {
    const workflowID = status.temporal?.workflowID ?? '';
    const what = `look at the activities of the run ${workflowID}`;
    // Without a run ID: the current run of the chain.
    const execution = { workflowId: workflowID, runId: '' };
    const options = { what, priority: 'statistics', signal, deadlineMs: DEADLINE_MS } as const;
    const described = await orUndefined(client.call('describeWorkflowExecution', { execution }, options));
    count += (described?.pendingActivities ?? []).filter(
      ({ state, activityOptions }) =>
        state === STARTED && (activityOptions?.taskQueue?.name ?? taskQueue) === taskQueue,
    ).length;
  }
  return count;
}

function latest(runs: readonly AIWorkflow[]): AIWorkflow[] {
  const started = ({ status }: AIWorkflow) => status.startTime ?? '';
  return [...runs].sort((a, b) => (started(a) < started(b) ? 1 : -1)).slice(0, MOST_RUNS);
}
