import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { isTrue } from '../../api/conditions.ts';
import { durationMs } from '../../api/duration.ts';
import type { Plan } from '../../runtime/reconcile.ts';
import { isAway, isObjection, type ObservedDeletion, type ObservedRun, type StartRequest } from './observed.ts';

/** The finalizer that stands from before the start until the end of the run. */
export const FINALIZER = 'aiworkflow.dev/run';

/** Every action carries `because`: it becomes the log line and the Event. */
export type RunAction =
  | { readonly type: 'addFinalizer'; readonly because: string }
  | {
      readonly type: 'start';
      readonly because: string;
      readonly request: StartRequest;
      readonly outcome?: StartOutcome;
    }
  | { readonly type: 'cancel'; readonly because: string; readonly run: RunToEnd }
  | { readonly type: 'terminate'; readonly because: string; readonly run: RunToEnd; readonly isBestEffort?: true }
  | { readonly type: 'removeFinalizer'; readonly because: string };

type RunToEnd = NonNullable<ObservedDeletion['run']>;

/** What a start brought to light. */
export interface StartOutcome {
  readonly kind: 'started' | 'adopted' | 'attached';
  readonly workflowID: string;
  readonly runID: string;
  readonly firstRunID: string;
  /** Of the run on Temporal, where it told; else the time of the start call. */
  readonly startTime: Date;
}

/** A reference that is missing may appear without an event that reaches us (a ConfigMap is not watched). */
const RECHECK_OBJECTION_MS = 30_000;
/** `Lost` needs two answers this far apart, so that a Temporal that is just coming back is not believed. */
export const LOST_AFTER_MS = 60_000;
/** After the run was told to end: how long its end is waited for before the resource is released. */
export const RELEASE_AFTER_MS = 5 * 60_000;
/** The same where nobody can repair anything any more, counted from when that was noticed; and the least chance a deletion gets. */
export const HASTY_RELEASE_AFTER_MS = 30_000;
/** Bounds of the time after which Temporal is asked again where it could not answer: as long as that has lasted. */
const RECHECK_UNKNOWN_MS = { least: 2_000, most: 60_000 };
/** While a deletion waits for a run to end, the completion watch tells; this is for the case that it cannot. */
const RECHECK_DELETION_MS = 15_000;

/** Decides what one pass does about one AIWorkflow. Total and pure. */
export function planRun(resource: AIWorkflow, observed: ObservedRun, now: Date): Plan<RunAction> {
  if (isFinished(resource)) return { actions: release(resource, 'the run has ended') };
  if (resource.metadata.deletionTimestamp !== undefined) return planDeletion(resource, observed, now);
  if (resource.status.temporal?.runID !== undefined) return planLive(observed, now);
  return planStart(resource, observed);
}

/** The fact of the end, which Temporal gave us once; final for a uid. */
export function isFinished(resource: AIWorkflow): boolean {
  return isTrue(resource.status.conditions, 'Finished');
}

function planStart(resource: AIWorkflow, { start, connection }: ObservedRun): Plan<RunAction> {
  const isBlocked = !start || isObjection(start) || isAway(connection);
  if (isBlocked) return { actions: [], recheckAfterMs: RECHECK_OBJECTION_MS };
  const guard: RunAction[] = hasFinalizer(resource)
    ? []
    : [{ type: 'addFinalizer', because: 'a live run must not lose its resource unnoticed' }];
  return { actions: [...guard, { type: 'start', because: 'the run is not started yet', request: start }] };
}

function planLive({ run }: ObservedRun, now: Date): Plan<RunAction> {
  if (run?.kind === 'notFound') return { actions: [], recheckAfterMs: LOST_AFTER_MS };
  if (run?.kind !== 'unknown') return { actions: [] };
  const { least, most } = RECHECK_UNKNOWN_MS;
  return { actions: [], recheckAfterMs: Math.min(most, Math.max(least, now.getTime() - run.since.getTime())) };
}

function planDeletion(resource: AIWorkflow, observed: ObservedRun, now: Date): Plan<RunAction> {
  if (!hasFinalizer(resource)) return { actions: [] };
  const over = whyOver(resource, observed);
  if (over !== undefined) return { actions: release(resource, over) };
  const waitMs = releaseTime(resource, observed.deletion).getTime() - now.getTime();
  if (waitMs <= 0) return { actions: [...lastBlow(observed), ...release(resource, 'the run did not end in time')] };
  const untilTimeoutMs = deletionTimeMs(resource) + timeoutMs(resource) - now.getTime();
  const nextMs = untilTimeoutMs > 0 ? Math.min(waitMs, untilTimeoutMs) : waitMs;
  return {
    actions: isSilent(observed) ? [] : endIt(resource, observed, untilTimeoutMs <= 0),
    recheckAfterMs: Math.min(nextMs, RECHECK_DELETION_MS),
  };
}

/** A Temporal that is away, or has not answered just now, is asked when it is back: trying would only make this pass late. */
function isSilent({ connection, run }: ObservedRun): boolean {
  return isAway(connection) || (run?.kind === 'unknown' && run.reason === 'TemporalUnavailable');
}

/** Why nothing of the run is left to end. */
function whyOver({ spec }: AIWorkflow, { deletion, run }: ObservedRun): string | undefined {
  if (spec.deletionPolicy === 'Abandon') return 'deletionPolicy is Abandon';
  if (run?.kind === 'ended' || run?.kind === 'notFound') return 'the run has ended';
  if (deletion && !deletion.run && run?.kind !== 'unknown') return 'there is no run';
  return undefined;
}

/** When the finalizer goes whatever the run does. */
export function releaseTime(resource: AIWorkflow, deletion: ObservedDeletion | undefined): Date {
  const orderlyMs = deletionTimeMs(resource) + timeoutMs(resource) + RELEASE_AFTER_MS;
  const { seenAt, hastySince } = deletion ?? {};
  const dueMs = hastySince ? Math.min(orderlyMs, hastySince.getTime() + HASTY_RELEASE_AFTER_MS) : orderlyMs;
  // An operator that was away meanwhile has not even tried.
  return new Date(Math.max(dueMs, (seenAt?.getTime() ?? 0) + HASTY_RELEASE_AFTER_MS));
}

/** A run whose resource goes before it ended is terminated on the way, if Temporal can be reached. */
function lastBlow({ deletion, connection }: ObservedRun): RunAction[] {
  if (!deletion?.run || isAway(connection)) return [];
  return [{ type: 'terminate', because: 'its resource is released', run: deletion.run, isBestEffort: true }];
}

/** Asks once for what is due: a second asking would tell Temporal nothing new. */
function endIt({ spec }: AIWorkflow, { deletion }: ObservedRun, isOverdue: boolean): RunAction[] {
  const run = deletion?.run;
  const type = isOverdue || spec.deletionPolicy === 'Terminate' ? 'terminate' : 'cancel';
  if (!run || deletion.asked === type || deletion.asked === 'terminate') return [];
  return [{ type, because: isOverdue ? 'the run did not end within deletionTimeout' : 'the resource is deleted', run }];
}

function release(resource: AIWorkflow, because: string): RunAction[] {
  return hasFinalizer(resource) ? [{ type: 'removeFinalizer', because }] : [];
}

const hasFinalizer = ({ metadata }: AIWorkflow) => metadata.finalizers?.includes(FINALIZER) ?? false;
const deletionTimeMs = ({ metadata }: AIWorkflow) => Date.parse(metadata.deletionTimestamp ?? '');
const timeoutMs = ({ spec }: AIWorkflow) => durationMs(spec.deletionTimeout);
