import type { Failure } from '../api/aiworkflow.ts';
import { attemptsOf } from './attempts.ts';
import type { TemporalClient } from './clients.ts';
import { closingIn, type Closing, type RunOutcome } from './closing.ts';
import { describeRun, orUndefined } from './describe.ts';
import { failureOf } from './failure.ts';
import type { RunResult } from './result.ts';

/** Where a chain of runs stands. */
export type RunEnd =
  /** `runID` is the latest run of the chain that was found. */
  | { readonly kind: 'live'; readonly runID: string }
  | {
      readonly kind: 'ended';
      /** The run that the chain ended with. */
      readonly runID: string;
      readonly outcome: RunOutcome;
      readonly closeTime: Date;
      readonly result?: RunResult | undefined;
      readonly failure?: Failure | undefined;
    }
  | { readonly kind: 'notFound' };

/** A chain of runs, and where in it to begin to look. */
export interface Chain {
  readonly workflowID: string;
  /** Any run of the chain; the later, the cheaper. */
  readonly runID: string;
  readonly firstRunID: string;
}

/** So many runs of a chain are followed one by one; then the server is asked for the current one. */
const STEPS_BEFORE_JUMP = 3;
/** The longest way through a chain in one go. What is not reached is looked at with the next hint. */
const MAX_STEPS = 1_000;

/**
 * Finds out how a chain ended, if it has. Costs one call in the ordinary case;
 * follows continue-as-new, retries, cron, and resets of a live run.
 * Throws an OperatorError.
 */
export async function endOf(client: TemporalClient, chain: Chain, signal?: AbortSignal): Promise<RunEnd> {
  const { workflowID } = chain;
  let runID = chain.runID || chain.firstRunID;
  for (let step = 1; step <= MAX_STEPS; step += 1) {
    const closing = await readClosing(client, { workflowID, runID }, signal);
    if (closing === 'live') break;
    const next = await following(client, chain, { runID, closing, step }, signal);
    if (!next)
      return closing === 'forgotten' ? { kind: 'notFound' } : ended(client, { workflowID, runID }, closing, signal);
    runID = next;
  }
  return { kind: 'live', runID };
}

interface Run {
  readonly workflowID: string;
  readonly runID: string;
}

/**
 * Reads the last event of a run. Not with the filter for closing events: of a
 * live run the server would keep that call until just before its deadline.
 */
async function readClosing(
  client: TemporalClient,
  run: Run,
  signal?: AbortSignal,
): Promise<Closing | 'live' | 'forgotten'> {
  const request = { execution: { workflowId: run.workflowID, runId: run.runID }, maximumPageSize: 1 };
  const options = { what: `read the end of the run ${run.workflowID}`, priority: 'completion', signal } as const;
  const page = await orUndefined(client.call('getWorkflowExecutionHistoryReverse', request, options));
  if (!page) return 'forgotten';
  return closingIn(page.history?.events?.[0]) ?? 'live';
}

interface Step {
  readonly runID: string;
  readonly closing: Closing | 'forgotten';
  readonly step: number;
}

/** The run to look at next; undefined where the chain ends here. */
async function following(
  client: TemporalClient,
  chain: Chain,
  { runID, closing, step }: Step,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (closing === 'forgotten') {
    // Retention takes runs one by one: a chain lives on when its first run is forgotten.
    const current = await currentOf(client, chain, signal);
    return current === runID ? undefined : current;
  }
  const next = closing.nextRunID ?? (await resetOf(client, { ...chain, runID }, closing, signal));
  if (!next || step !== STEPS_BEFORE_JUMP) return next;
  return (await currentOf(client, chain, signal)) ?? next;
}

/** The current run of the workflow ID, if it is of this chain. */
async function currentOf(client: TemporalClient, chain: Chain, signal?: AbortSignal): Promise<string | undefined> {
  const current = await describeRun(client, { workflowID: chain.workflowID }, signal, 'completion');
  return current?.firstRunID === chain.firstRunID ? current.runID : undefined;
}

/** A reset of a live run terminates it, and only describe tells what it became. */
async function resetOf(
  client: TemporalClient,
  run: Run,
  { outcome }: Closing,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (outcome !== 'Terminated') return undefined;
  return (await describeRun(client, run, signal, 'completion'))?.resetRunID;
}

async function ended(client: TemporalClient, run: Run, closing: Closing, signal?: AbortSignal): Promise<RunEnd> {
  const { outcome, closeTime, result, raw } = closing;
  if (outcome === 'ContinuedAsNew') return { kind: 'live', runID: run.runID };
  const attempts = raw && (await attemptsOf(client, { ...run, raw, eventID: closing.eventID }, signal));
  const failure = raw ? failureOf(raw, attempts) : closing.failure;
  return {
    kind: 'ended',
    runID: run.runID,
    outcome,
    closeTime,
    ...(result && { result }),
    ...(failure && { failure }),
  };
}
