import { msNumberToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { OperatorError } from '../errors.ts';
import type { RequestOf } from './call.ts';
import type { TemporalClient } from './clients.ts';
import { errorDetail } from './errors.ts';
import { memoOf } from './memo.ts';
import { jsonPayload } from './payload.ts';

/** Everything that decides what a start does. Times in milliseconds. */
export interface StartRunRequest {
  readonly workflowID: string;
  readonly type: string;
  readonly taskQueue: string;
  /** JSON values; big integers as BigInt. */
  readonly args: readonly unknown[];
  /** The same one again is answered by the run it started, while that is the current one. */
  readonly requestID: string;
  readonly memo: Readonly<Record<string, unknown>>;
  /** What a closed run of the same ID means. */
  readonly reusePolicy: 'AllowDuplicate' | 'AllowDuplicateFailedOnly' | 'RejectDuplicate';
  /** What a live run of the same ID means. */
  readonly conflictPolicy: 'Fail' | 'UseExisting';
  readonly timeouts?: { readonly executionMs?: number; readonly runMs?: number; readonly taskMs?: number };
  readonly retry?: {
    /** 0: without limit. */
    readonly maximumAttempts: number;
    readonly initialIntervalMs: number;
    readonly backoffCoefficient: number;
    readonly maximumIntervalMs?: number;
    readonly nonRetryableErrorTypes: readonly string[];
  };
}

/** How a start ended. */
export type StartedRun =
  /** `isNew` is false where a run was found: by its request ID, or by conflict policy UseExisting. */
  | { readonly kind: 'started'; readonly runID: string; readonly firstRunID: string; readonly isNew: boolean }
  /** The policies forbid it; `startRequestID` is what started the run that is in the way. */
  | { readonly kind: 'exists'; readonly runID: string; readonly firstRunID: string; readonly startRequestID: string };

const { WorkflowIdReusePolicy: Reuse, WorkflowIdConflictPolicy: Conflict } = proto.temporal.api.enums.v1;
const reusePolicies = {
  AllowDuplicate: Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
  AllowDuplicateFailedOnly: Reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
  RejectDuplicate: Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
};
const conflictPolicies = {
  Fail: Conflict.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
  UseExisting: Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
};

/** Starts a run, durably once this returns. Throws an OperatorError. */
export async function startRun(
  client: TemporalClient,
  request: StartRunRequest,
  signal?: AbortSignal,
): Promise<StartedRun> {
  const options = { what: `start the run ${request.workflowID}`, priority: 'start', signal } as const;
  try {
    const { runId, firstExecutionRunId, started } = await client.call(
      'startWorkflowExecution',
      encode(client, request),
      options,
    );
    return { kind: 'started', runID: runId, firstRunID: firstExecutionRunId || runId, isNew: started };
  } catch (error) {
    const existing = existingRun(error);
    if (existing) return existing;
    throw error;
  }
}

function encode(
  client: TemporalClient,
  request: StartRunRequest,
): Omit<RequestOf<'startWorkflowExecution'>, 'namespace'> {
  const { timeouts, retry } = request;
  return {
    workflowId: request.workflowID,
    workflowType: { name: request.type },
    taskQueue: { name: request.taskQueue },
    input: { payloads: request.args.map(jsonPayload) },
    requestId: request.requestID,
    identity: client.identity,
    memo: memoOf(request.memo),
    workflowIdReusePolicy: reusePolicies[request.reusePolicy],
    workflowIdConflictPolicy: conflictPolicies[request.conflictPolicy],
    // So that a later start of ours finds out that this run is followed already.
    ...(request.conflictPolicy === 'UseExisting' && { onConflictOptions: { attachRequestId: true } }),
    workflowExecutionTimeout: duration(timeouts?.executionMs),
    workflowRunTimeout: duration(timeouts?.runMs),
    workflowTaskTimeout: duration(timeouts?.taskMs),
    ...(retry && { retryPolicy: encodeRetry(retry) }),
  };
}

function encodeRetry(retry: NonNullable<StartRunRequest['retry']>) {
  return {
    maximumAttempts: retry.maximumAttempts,
    initialInterval: duration(retry.initialIntervalMs),
    backoffCoefficient: retry.backoffCoefficient,
    maximumInterval: duration(retry.maximumIntervalMs),
    nonRetryableErrorTypes: [...retry.nonRetryableErrorTypes],
  };
}

const duration = (ms: number | undefined) => (ms === undefined ? null : msNumberToTs(ms));

function existingRun(error: unknown): StartedRun | undefined {
  if (!(error instanceof OperatorError) || error.reason !== 'AlreadyExists') return undefined;
  const bytes = errorDetail(error.cause, 'WorkflowExecutionAlreadyStartedFailure');
  if (!bytes) return undefined;
  const detail = proto.temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure.decode(bytes);
  const { runId, firstExecutionRunId, startRequestId } = detail;
  return { kind: 'exists', runID: runId, firstRunID: firstExecutionRunId || runId, startRequestID: startRequestId };
}
