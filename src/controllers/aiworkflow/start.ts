import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { durationMs } from '../../api/duration.ts';
import { OperatorError } from '../../errors.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import { describeRun, type RunDescription } from '../../temporal/describe.ts';
import { startRun, type StartRunRequest } from '../../temporal/start.ts';
import { claim, identityOf, MEMO_RESOURCE, MEMO_UID, type Claim, type Identity } from './identity.ts';
import type { StartRequest } from './observed.ts';
import type { StartOutcome } from './plan.ts';

/** What a start needs besides the request. */
export interface StartContext {
  readonly client: TemporalClient;
  readonly clusterName: string;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/**
 * Starts the run of `resource`, once and for all: whatever was started for its
 * uid before, by a process that died in between, is found and taken over.
 * Throws WorkflowIDTaken where the ID is somebody else's.
 */
export async function startOnce(
  resource: AIWorkflow,
  request: StartRequest,
  context: StartContext,
): Promise<StartOutcome> {
  const identity = identityOf(resource, context.clusterName);
  const call = startCall(resource, request, identity);
  // Never AllowDuplicate first: once our chain has continued as new and closed, the same request ID would start a second one.
  const first = await startRun(
    context.client,
    { ...call, reusePolicy: 'RejectDuplicate', conflictPolicy: 'Fail' },
    context.signal,
  );
  if (first.kind === 'started') return { ...first, workflowID: identity.workflowID, startTime: context.now() };
  const run = await existing(identity, first.firstRunID, context);
  const verdict = claim(run, identity, resource.spec, request.isShared);
  if (verdict.decision === 'adopt') return takenOver('adopted', identity, run);
  return carryOut(verdict, call, identity, context);
}

async function existing(
  identity: Identity,
  firstRunID: string,
  { client, signal }: StartContext,
): Promise<RunDescription> {
  // The first run lists every request ID that led to it, those that attached later included.
  const first = await describeRun(client, { workflowID: identity.workflowID, runID: firstRunID }, signal);
  const latest = await describeRun(client, { workflowID: identity.workflowID }, signal);
  const known = latest ?? first;
  if (!known) throw gone(identity);
  if (!first || latest?.firstRunID !== firstRunID) return known;
  return { ...latest, requestIDs: [...latest.requestIDs, ...first.requestIDs] };
}

const gone = ({ workflowID }: Identity) =>
  new OperatorError('Conflict', `The run ${workflowID} went away while it was looked at`, { retry: 'conflict' });

async function carryOut(
  verdict: Exclude<Claim, { decision: 'adopt' }>,
  call: Omit<StartRunRequest, 'reusePolicy' | 'conflictPolicy'>,
  identity: Identity,
  { client, signal, now }: StartContext,
): Promise<StartOutcome> {
  if (verdict.decision === 'refuse') throw taken(identity, verdict.message);
  const isAttach = verdict.decision === 'attach';
  const policies = isAttach
    ? ({ reusePolicy: 'RejectDuplicate', conflictPolicy: 'UseExisting' } as const)
    : ({ reusePolicy: verdict.reusePolicy, conflictPolicy: 'Fail' } as const);
  const second = await startRun(client, { ...call, ...policies }, signal);
  // Somebody was faster than we: look again from the beginning.
  if (second.kind === 'exists') throw gone(identity);
  return { ...second, kind: isAttach ? 'attached' : 'started', workflowID: identity.workflowID, startTime: now() };
}

function taken({ workflowID }: Identity, message: string): OperatorError {
  return new OperatorError('WorkflowIDTaken', `${message} (${workflowID})`, { retry: { afterMs: 5 * 60_000 } });
}

function takenOver(kind: 'adopted', { workflowID }: Identity, run: RunDescription): StartOutcome {
  return { kind, workflowID, runID: run.runID, firstRunID: run.firstRunID, startTime: run.startTime };
}

function startCall(
  { spec }: AIWorkflow,
  request: StartRequest,
  identity: Identity,
): Omit<StartRunRequest, 'reusePolicy' | 'conflictPolicy'> {
  const { timeouts, retry } = spec;
  return {
    workflowID: request.workflowID,
    type: request.type,
    taskQueue: request.taskQueue,
    args: request.args,
    requestID: identity.uid,
    memo: { [MEMO_UID]: identity.uid, [MEMO_RESOURCE]: identity.resource },
    timeouts: {
      ...(timeouts?.execution !== undefined && { executionMs: durationMs(timeouts.execution) }),
      ...(timeouts?.run !== undefined && { runMs: durationMs(timeouts.run) }),
      ...(timeouts && { taskMs: durationMs(timeouts.task) }),
    },
    ...(retry && {
      retry: {
        maximumAttempts: retry.maximumAttempts,
        initialIntervalMs: durationMs(retry.initialInterval),
        backoffCoefficient: Number(retry.backoffCoefficient),
        ...(retry.maximumInterval !== undefined && { maximumIntervalMs: durationMs(retry.maximumInterval) }),
        nonRetryableErrorTypes: retry.nonRetryableErrorTypes ?? [],
      },
    }),
  };
}
