import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { asOperatorError } from '../../errors.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import { endOf } from '../../temporal/ended.ts';
import type { ObservedEnd } from './observed.ts';
import type { RunWorld } from './world.ts';

/** A Temporal that does not tell about the run is a fact to report, not a reason to give up. */
export async function askOrExcuse(
  world: RunWorld,
  resource: AIWorkflow,
  client: TemporalClient,
  signal: AbortSignal,
): Promise<ObservedEnd> {
  try {
    return await askTemporal(world, resource, client, signal);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return excuse(world, resource, thrown);
  }
}

/** What failed while asking, as an answer. Throws what is a defect of ours. */
export function excuse({ memory, now }: RunWorld, { metadata }: AIWorkflow, thrown: unknown): ObservedEnd {
  const { reason, message } = asOperatorError(thrown);
  if (reason === 'InternalError') throw thrown;
  return { kind: 'unknown', reason, message, since: memory.unknown(metadata.uid, now()) };
}

/** Where the run in the status stands; what was found is remembered. Throws an OperatorError. */
export async function askTemporal(
  { memory, now }: RunWorld,
  resource: AIWorkflow,
  client: TemporalClient,
  signal: AbortSignal,
): Promise<ObservedEnd> {
  const { uid } = resource.metadata;
  const { workflowID = '', runID = '', firstRunID = '' } = resource.status.temporal ?? {};
  memory.asking(uid);
  try {
    const end = await endOf(client, { workflowID, runID: memory.latestRunID(uid) ?? runID, firstRunID }, signal);
    if (end.kind === 'notFound') return { kind: 'notFound', since: memory.notFound(uid, now()) };
    if (end.kind === 'ended') memory.hint(uid);
    else memory.isLive(uid, end.runID);
    return end.kind === 'live' ? { kind: 'live' } : end;
  } catch (error) {
    memory.hint(uid);
    throw error;
  }
}
