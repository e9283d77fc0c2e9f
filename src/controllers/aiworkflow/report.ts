import type { AIWorkflow, AIWorkflowStatus } from '../../api/aiworkflow.ts';
import { conditionsOf } from '../../api/conditions.ts';
import { formatDuration } from '../../api/duration.ts';
import type { Outcome } from '../../runtime/reconcile.ts';
import type { ObservedEnd, ObservedRun } from './observed.ts';
import { isFinished, LOST_AFTER_MS, type RunAction, type StartOutcome } from './plan.ts';
import { verdictsOf, type Situation } from './verdicts.ts';

type RunPass = Outcome<ObservedRun, RunAction>;
type Status = AIWorkflowStatus;
type Ended = Extract<ObservedEnd, { kind: 'ended' }>;

/** The status of a run after a pass. Undefined: nothing to say (the resource is about to vanish, or is settled). */
export function reportRun(resource: AIWorkflow, pass: RunPass, now: Date): Status | undefined {
  if (pass.applied.some(({ type }) => type === 'removeFinalizer')) return undefined;
  if (isFinished(resource)) return refreshed(resource);
  const situation = situationOf(resource, pass, now);
  if (situation === undefined) return undefined;
  return {
    ...figuresOf(resource, pass, situation),
    observedGeneration: resource.metadata.generation ?? 0,
    conditions: conditionsOf(
      resource.status.conditions,
      verdictsOf(situation, resource, pass.observed?.connection, now),
      resource.metadata.generation ?? 0,
      now,
    ),
  };
}

/** An edit of a finished run changes nothing but the generation all its conditions speak of; `kubectl wait` waits for that. */
function refreshed({ metadata, status }: AIWorkflow): Status {
  const observedGeneration = metadata.generation ?? 0;
  return {
    ...status,
    observedGeneration,
    conditions: (status.conditions ?? []).map((condition) => ({ ...condition, observedGeneration })),
  };
}

function situationOf(resource: AIWorkflow, pass: RunPass, now: Date): Situation | undefined {
  const { observed } = pass;
  if (observed?.run?.kind === 'ended') return { is: 'ended', end: observed.run };
  if (isLost(observed?.run, now)) return { is: 'lost' };
  if (resource.metadata.deletionTimestamp !== undefined) return deletion(pass);
  return isStarted(resource, pass) ? { is: 'running', run: observed?.run } : beforeStart(pass);
}

function isStarted({ status }: AIWorkflow, pass: RunPass): boolean {
  return startOf(pass) !== undefined || status.temporal?.runID !== undefined;
}

function beforeStart({ observed, error }: RunPass): Situation {
  const objection = observed?.start && 'reason' in observed.start ? observed.start : undefined;
  if (objection) return { is: 'objected', objection };
  return { is: 'starting', error };
}

/** A deletion says what it waits for; where nothing is left to end the resource just goes. */
function deletion({ observed, error }: RunPass): Situation | undefined {
  const trouble = error?.message ?? whyUnknown(observed?.run);
  if (!observed?.deletion?.run && trouble === undefined) return undefined;
  return { is: 'deleting', trouble, deletion: observed?.deletion };
}

const whyUnknown = (run: ObservedEnd | undefined) => (run?.kind === 'unknown' ? run.message : undefined);

function isLost(run: ObservedEnd | undefined, now: Date): boolean {
  return run?.kind === 'notFound' && now.getTime() - run.since.getTime() >= LOST_AFTER_MS;
}

function startOf({ applied }: RunPass): StartOutcome | undefined {
  return applied.find((action) => action.type === 'start')?.outcome;
}

/** Everything but conditions. */
function figuresOf(resource: AIWorkflow, pass: RunPass, situation: Situation): Omit<Status, 'observedGeneration'> {
  const { conditions: _, observedGeneration: __, ...before } = resource.status;
  const started = startOf(pass);
  const known = started ? { ...before, ...startFigures(started, pass.observed?.connection) } : before;
  if (situation.is === 'ended') return { ...known, ...endFigures(situation.end, known) };
  if (situation.is === 'lost') return { ...known, phase: 'Lost' };
  return { ...known, phase: known.temporal?.runID === undefined ? 'Pending' : 'Running' };
}

function startFigures(
  started: StartOutcome,
  connection: ObservedRun['connection'] | undefined,
): Omit<Status, 'observedGeneration'> {
  const { workflowID, runID, firstRunID } = started;
  const pinned = connection?.isUsable ? pinsOf(connection) : {};
  const url =
    connection?.isUsable && connection.uiUrl ? { url: pageOf(connection.uiUrl, connection.namespace, started) } : {};
  return {
    startTime: started.startTime.toISOString(),
    temporal: { ...pinned, workflowID, runID, firstRunID, ...url },
  };
}

/** Where the run belongs; it is looked for nowhere else. */
function pinsOf({ ref, clusterID, namespaceID, namespace }: Extract<ObservedRun['connection'], { isUsable: true }>) {
  return { connectionRef: { kind: ref.kind, name: ref.name }, clusterID, namespaceID, namespace };
}

function pageOf(uiUrl: string, namespace: string, { workflowID, runID }: StartOutcome): string {
  const path = ['namespaces', namespace, 'workflows', workflowID, runID, 'history'].map(encodeURIComponent).join('/');
  return `${uiUrl.replace(/\/+$/, '')}/${path}`;
}

function endFigures(end: Ended, before: Omit<Status, 'observedGeneration'>): Omit<Status, 'observedGeneration'> {
  return {
    phase: end.outcome,
    ...timesOf(end, before.startTime ?? end.startTime?.toISOString()),
    ...(before.temporal && { temporal: { ...before.temporal, runID: end.runID } }),
    ...(end.result && { result: end.result.value }),
    ...(end.result?.isTruncated && { resultTruncated: true }),
    ...(end.failure && { failure: end.failure }),
  };
}

function timesOf(
  { closeTime }: Ended,
  startTime: string | undefined,
): Pick<Status, 'startTime' | 'completionTime' | 'duration'> {
  const completionTime = closeTime.toISOString();
  if (startTime === undefined) return { completionTime };
  // Our clock and Temporal's may differ: a run never took less than nothing.
  const ranMs = Math.max(0, closeTime.getTime() - Date.parse(startTime));
  return { startTime, completionTime, duration: formatDuration(ranMs) };
}
