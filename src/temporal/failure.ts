import type { temporal } from '@temporalio/proto';
import type { Failure } from '../api/aiworkflow.ts';
import { boundBytes } from '../api/conditions.ts';
import { membersIn } from './payload.ts';

/** A failure as Temporal carries it: a chain of them, outermost first. */
export type TemporalFailure = temporal.api.failure.v1.Failure.$Properties;

/** Bounds of the API, in bytes. */
const MAX = { type: 256, message: 1024, activity: 1000, causes: 5 };
/** Longest chain that is looked at. SDKs build them from user code: they may be of any length. */
const MAX_LINKS = 50;

const timeoutTypes: readonly string[] = ['', 'StartToClose', 'ScheduleToStart', 'ScheduleToClose', 'Heartbeat'];

/** An activity that failed, and where its history is. */
export interface FailedActivity {
  readonly type: string;
  /** Event that started its last attempt; 0 where none was started. */
  readonly startedEventID: number;
  /** The child workflow that ran it; absent where it was the run itself. */
  readonly child?: { readonly workflowID: string; readonly runID: string };
}

/**
 * A failure as the API shows it. Temporal wraps errors ("Activity task
 * failed", "Child Workflow execution failed"): `type` and `message` are those of
 * the outermost error that somebody raised, `cause` what led to it.
 */
export function failureOf(failure: TemporalFailure, attempts?: number): Failure {
  const links = linksOf(failure);
  const raised = links.filter((link) => !isWrapper(link));
  const [error, ...causes] = raised.length > 0 ? raised : links.slice(-1);
  const activity = failedActivity(failure);
  return {
    kind: kindOf(error ?? failure),
    ...describe(error ?? failure),
    ...(activity?.type && { activity: boundBytes(activity.type, MAX.activity) }),
    ...(attempts !== undefined && { attempts }),
    ...(causes.length > 0 && { cause: causes.slice(0, MAX.causes).map(describe) }),
  };
}

/** The first activity in the chain. */
export function failedActivity(failure: TemporalFailure): FailedActivity | undefined {
  const links = linksOf(failure);
  const at = links.findIndex((link) => link.activityFailureInfo);
  const activity = links[at]?.activityFailureInfo;
  if (!activity) return undefined;
  const child = links.slice(0, at).findLast((link) => link.childWorkflowExecutionFailureInfo);
  return {
    type: activity.activityType?.name ?? '',
    startedEventID: activity.startedEventId?.toNumber() ?? 0,
    ...(child && { child: runOf(child) }),
  };
}

function runOf({ childWorkflowExecutionFailureInfo: child }: TemporalFailure) {
  return { workflowID: child?.workflowExecution?.workflowId ?? '', runID: child?.workflowExecution?.runId ?? '' };
}

function linksOf(failure: TemporalFailure): TemporalFailure[] {
  const links: TemporalFailure[] = [];
  for (let link: TemporalFailure | null | undefined = failure; link && links.length < MAX_LINKS; link = link.cause) {
    links.push(link);
  }
  return links;
}

const isWrapper = (link: TemporalFailure) =>
  Boolean(
    link.activityFailureInfo ?? link.childWorkflowExecutionFailureInfo ?? link.nexusOperationExecutionFailureInfo,
  );

function kindOf(link: TemporalFailure): string {
  if (link.timeoutFailureInfo) return 'Timeout';
  if (link.canceledFailureInfo) return 'Canceled';
  if (link.terminatedFailureInfo) return 'Terminated';
  if (link.serverFailureInfo) return 'Server';
  if (link.childWorkflowExecutionFailureInfo) return 'ChildWorkflow';
  if (link.nexusOperationExecutionFailureInfo || link.nexusHandlerFailureInfo) return 'Nexus';
  return 'Application';
}

function describe(link: TemporalFailure): { type?: string; message?: string } {
  const type = typeOf(link);
  const message = messageOf(link);
  return {
    ...(type && { type: boundBytes(type, MAX.type) }),
    ...(message && { message: boundBytes(message, MAX.message) }),
  };
}

/** SDKs that are told to encode failures move the message into a payload, which is JSON unless a codec has made it secret. */
function messageOf({ message, encodedAttributes }: TemporalFailure): string | null | undefined {
  const encoded = encodedAttributes && membersIn(encodedAttributes)?.['message'];
  return typeof encoded === 'string' ? encoded : message;
}

function typeOf({ applicationFailureInfo, timeoutFailureInfo, nexusHandlerFailureInfo }: TemporalFailure): string {
  if (applicationFailureInfo) return applicationFailureInfo.type ?? '';
  if (timeoutFailureInfo) return timeoutTypes[timeoutFailureInfo.timeoutType ?? 0] ?? '';
  return nexusHandlerFailureInfo?.type ?? '';
}
