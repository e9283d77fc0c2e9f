import type { AIWorkflow } from '../api/aiworkflow.ts';
import { isTrue } from '../api/conditions.ts';
import type { RunAction } from '../controllers/aiworkflow/plan.ts';
import type { WorkerAction } from '../controllers/worker/plan.ts';
import type { EventText } from './host.ts';

/** A run has two Events at most: that it was started, and that it has ended. */
export function eventOfRunAction(action: RunAction): EventText | undefined {
  if (action.type !== 'start' || !action.outcome) return undefined;
  const { kind, workflowID } = action.outcome;
  const note = { started: 'Started', adopted: 'Took over', attached: 'Attached to' }[kind];
  return { type: 'Normal', reason: 'Started', action: 'Start', note: `${note} the run ${workflowID}` };
}

/** The end of a run, once. */
export function eventOfRunStatus(before: AIWorkflow, after: AIWorkflow['status']): EventText | undefined {
  if (isTrue(before.status.conditions, 'Finished')) return undefined;
  const finished = after.conditions?.find(({ type, status }) => type === 'Finished' && status === 'True');
  if (!finished) return undefined;
  const { reason, message } = finished;
  return { type: reason === 'Succeeded' ? 'Normal' : 'Warning', reason, action: 'Finish', note: message };
}

/** Whoever pays for GPUs wants to know why a pool changed its size. */
export function eventOfWorkerAction(action: WorkerAction): EventText | undefined {
  if (action.type !== 'scaleDeployment') return undefined;
  const { from, replicas, because } = action;
  return { type: 'Normal', reason: 'Scaled', action: 'Scale', note: `Scaled from ${from} to ${replicas}: ${because}` };
}
