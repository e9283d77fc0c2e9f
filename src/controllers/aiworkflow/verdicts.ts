import type { AIWorkflow, Failure } from '../../api/aiworkflow.ts';
import type { Verdict, Verdicts } from '../../api/conditions.ts';
import type { OperatorError } from '../../errors.ts';
import {
  isAway,
  type Objection,
  type ObservedConnection,
  type ObservedDeletion,
  type ObservedEnd,
} from './observed.ts';

/** Where a run stands, as its conditions tell it. */
export type Situation =
  | { readonly is: 'objected'; readonly objection: Objection }
  | { readonly is: 'starting'; readonly error?: OperatorError | undefined }
  /** `run`: what Temporal said of it, where it was asked. */
  | { readonly is: 'running'; readonly run?: ObservedEnd | undefined }
  | {
      readonly is: 'deleting';
      readonly deletion?: ObservedDeletion | undefined;
      /** Why it does not get on. */
      readonly trouble?: string | undefined;
    }
  | { readonly is: 'ended'; readonly end: Extract<ObservedEnd, { kind: 'ended' }> }
  | { readonly is: 'lost' };

type ConditionType = 'Accepted' | 'Ready' | 'Succeeded' | 'Finished' | 'TemporalReachable' | 'Reconciling' | 'Stalled';
type RunVerdicts = Verdicts<ConditionType>;

/** An outage shorter than this is not worth a write to every run. */
export const AWAY_AFTER_MS = 30_000;

const accepted: Verdict = {
  status: 'True',
  reason: 'Reconciled',
  message: 'The spec is valid and its references resolve',
};

/** The conditions of a run. kstatus: of Ready, Reconciling and Stalled at most one is True. */
export function verdictsOf(
  situation: Situation,
  resource: AIWorkflow,
  connection: ObservedConnection | undefined,
  now: Date,
): RunVerdicts {
  switch (situation.is) {
    case 'objected':
      return objected(situation.objection);
    case 'starting':
      return {
        Accepted: accepted,
        ...unready(startTrouble(situation.error, connection), isFinal(situation.error)),
        ...active('Starting', 'The run is not started yet'),
      };
    case 'running':
      return { Accepted: accepted, ...running(resource), ...reachability(connection, situation.run, now) };
    case 'deleting':
      return {
        Accepted: accepted,
        ...unready(deleting(situation), false),
        ...active('Deleting', 'The run has not ended yet'),
      };
    case 'ended':
      return { Accepted: accepted, ...ended(situation.end) };
    case 'lost':
      return { Accepted: accepted, ...lost() };
  }
}

function objected({ reason, message, needsChange }: Objection): RunVerdicts {
  return {
    Accepted: { status: 'False', reason, message },
    ...unready({ status: 'False', reason, message }, needsChange),
    ...active(reason, 'The run is not started'),
  };
}

/** Ready=False together with the one abnormal condition that says whether waiting helps. */
function unready(ready: Verdict, isStalled: boolean): RunVerdicts {
  return { Ready: ready, [isStalled ? 'Stalled' : 'Reconciling']: { ...ready, status: 'True' } };
}

function active(reason: Verdict['reason'], message: string): RunVerdicts {
  return { Succeeded: { status: 'Unknown', reason, message }, Finished: { status: 'False', reason, message } };
}

function startTrouble(error: OperatorError | undefined, connection: ObservedConnection | undefined): Verdict {
  if (error) return { status: 'False', reason: error.reason, message: error.message };
  if (connection && isAway(connection)) {
    const message = 'Temporal does not answer; the run is started once it does';
    return { status: 'False', reason: 'TemporalUnavailable', message };
  }
  return { status: 'False', reason: 'Starting', message: 'The run is about to be started' };
}

/** An error that no waiting mends. */
const isFinal = (error: OperatorError | undefined) => error?.retry === 'never' || error?.reason === 'WorkflowIDTaken';

function running({ spec }: AIWorkflow): RunVerdicts {
  const progress = active('Running', 'The run is active');
  if (spec.readyWhen === 'Started') {
    return {
      Ready: { status: 'True', reason: 'Started', message: 'The run is durably started on Temporal' },
      ...progress,
    };
  }
  return {
    ...unready({ status: 'False', reason: 'Running', message: 'Waiting for the run to succeed' }, false),
    ...progress,
  };
}

function reachability(
  connection: ObservedConnection | undefined,
  run: ObservedEnd | undefined,
  now: Date,
): RunVerdicts {
  const problem = (connection && unreachable(connection, now)) ?? (run && unasked(run, now));
  return problem ? { TemporalReachable: { status: 'False', ...problem } } : {};
}

const isShort = (since: Date | undefined, now: Date) =>
  since !== undefined && now.getTime() - since.getTime() < AWAY_AFTER_MS;

/** The connection works, and yet Temporal does not tell about this run: for want of a permission, say. */
function unasked(run: ObservedEnd, now: Date): Omit<Verdict, 'status'> | undefined {
  if (run.kind !== 'unknown' || isShort(run.since, now)) return undefined;
  return { reason: run.reason, message: `The status may be stale: ${run.message}` };
}

function unreachable(connection: ObservedConnection, now: Date): Omit<Verdict, 'status'> | undefined {
  if (!connection.isUsable) {
    if (isShort(connection.since, now)) return undefined;
    return { reason: connection.reason, message: `The status may be stale: ${connection.message}` };
  }
  if (!connection.awaySince || isShort(connection.awaySince, now)) return undefined;
  return {
    reason: 'TemporalUnavailable',
    message: 'Temporal does not answer; the run goes on there, and its status here may be stale',
  };
}

function deleting({ deletion, trouble }: Extract<Situation, { is: 'deleting' }>): Verdict {
  const message = deletion?.run
    ? `Waiting for the run ${deletion.run.workflowID} to end; it is terminated after spec.deletionTimeout, and the resource released soon after`
    : 'Finding out whether there is a run to end';
  return { status: 'False', reason: 'Deleting', message: trouble === undefined ? message : `${message}. ${trouble}` };
}

const endings = {
  Succeeded: 'The run succeeded',
  Failed: 'The run failed',
  Canceled: 'The run was canceled',
  Terminated: 'The run was terminated',
  TimedOut: 'The run exceeded its timeout',
} as const;

function ended({ outcome, failure }: Extract<ObservedEnd, { kind: 'ended' }>): RunVerdicts {
  const message = [endings[outcome], failure && explain(failure)].filter(Boolean).join(': ');
  const finished: Verdict = { status: 'True', reason: outcome, message };
  if (outcome === 'Succeeded') return { Ready: finished, Succeeded: finished, Finished: finished };
  const failed: Verdict = { ...finished, status: 'False' };
  return { ...unready(failed, true), Succeeded: failed, Finished: finished };
}

function explain({ activity, attempts, type, message }: Failure): string {
  const where =
    activity === undefined ? [] : [`activity ${activity}${attempts === undefined ? '' : `, attempt ${attempts}`}`];
  return [...where, type, message].filter(Boolean).join(': ');
}

function lost(): RunVerdicts {
  const message =
    'Temporal no longer knows the run; it ended longer ago than the retention of its Temporal namespace, or was deleted there';
  const verdict = { reason: 'NotFound', message } as const;
  return {
    ...unready({ ...verdict, status: 'False' }, true),
    Succeeded: { ...verdict, status: 'Unknown' },
    Finished: { ...verdict, status: 'True' },
  };
}
