import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { OperatorError } from '../../errors.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import { describeRun } from '../../temporal/describe.ts';
import { endOf } from '../../temporal/ended.ts';
import type { Resolution } from '../connection/directory.ts';
import { askTemporal, excuse } from './ask.ts';
import { otherCluster } from './home.ts';
import { identityOf, isOurs } from './identity.ts';
import type { Objection, ObservedDeletion, ObservedEnd, ObservedRun } from './observed.ts';
import { FINALIZER } from './plan.ts';
import type { RunWorld } from './world.ts';

/** A deletion must converge with Temporal away, so what cannot be asked is an answer here and not an error. */
export async function observeDeletion(
  world: RunWorld,
  resource: AIWorkflow,
  resolution: Resolution,
  signal: AbortSignal,
): Promise<Pick<ObservedRun, 'deletion' | 'run'>> {
  const { metadata } = resource;
  const now = world.now();
  const seenAt = world.memory.deletionSeen(metadata.uid, now);
  if (!metadata.finalizers?.includes(FINALIZER)) return { deletion: { seenAt } };
  const { isTerminating } = await world.readNamespace(metadata.namespace ?? '', signal);
  const hastySince = world.memory.hasty(metadata.uid, isTerminating || isSecretGone(resolution), now);
  const about = { asked: world.memory.asked(metadata.uid), seenAt, hastySince };
  const trouble = whyNotAsked(resource, resolution);
  if (trouble) return { run: { kind: 'unknown', ...trouble, since: now }, deletion: about };
  return askForDeletion(world, resource, { resolution, about }, signal);
}

async function askForDeletion(
  world: RunWorld,
  resource: AIWorkflow,
  { resolution, about }: { readonly resolution: Resolution; readonly about: ObservedDeletion },
  signal: AbortSignal,
): Promise<Pick<ObservedRun, 'deletion' | 'run'>> {
  try {
    const found = await findRun(world, resource, reachable(resolution), signal);
    return { run: found.run, deletion: { ...about, run: found.identity } };
  } catch (thrown) {
    return { run: excuse(world, resource, thrown), deletion: { ...about, run: pinned(resource) } };
  }
}

/** Why neither asking about the run nor ending it is any use: what was asked elsewhere would count as asked. */
function whyNotAsked(resource: AIWorkflow, resolution: Resolution): Pick<Objection, 'reason' | 'message'> | undefined {
  const { client, server } = resolution;
  if (client && server) return otherCluster(resource, resolution);
  const message = resolution.isUsable ? 'there is no connection to Temporal' : resolution.message;
  return { reason: 'ConnectionNotReady', message };
}

/** The client to ask, also one whose connection is deleted or has lost its credentials. Throws while Temporal is away. */
function reachable(resolution: Resolution): TemporalClient {
  if (resolution.client && !(resolution.isUsable && resolution.awaySince)) return resolution.client;
  throw new OperatorError('TemporalUnavailable', 'Temporal does not answer', { retry: 'backoff' });
}

/** A Secret that is there and wrong can be mended; one that is gone mostly went with everything else. */
function isSecretGone(resolution: Resolution): boolean {
  return !resolution.isUsable && resolution.problem?.reason === 'SecretNotFound';
}

type Found = { readonly run: ObservedEnd; readonly identity?: ObservedDeletion['run'] };

/** The run to end: the one in status, or one that was started and could not be recorded before a crash. */
async function findRun(
  world: RunWorld,
  resource: AIWorkflow,
  client: TemporalClient,
  signal: AbortSignal,
): Promise<Found> {
  const known = pinned(resource);
  if (known) return { run: await askTemporal(world, resource, client, signal), identity: known };
  const identity = identityOf(resource, world.clusterName);
  const run = await describeRun(client, { workflowID: identity.workflowID }, signal);
  if (!run || !isOurs(run, identity)) return { run: { kind: 'live' } };
  const found = { workflowID: identity.workflowID, firstRunID: run.firstRunID };
  if (run.isLive) return { run: { kind: 'live' }, identity: found };
  const end = await endOf(client, { ...found, runID: run.runID }, signal);
  return { run: end.kind === 'notFound' ? { kind: 'notFound', since: world.now() } : end, identity: found };
}

function pinned({ status }: AIWorkflow): ObservedDeletion['run'] {
  const { workflowID, firstRunID } = status.temporal ?? {};
  return workflowID === undefined || firstRunID === undefined ? undefined : { workflowID, firstRunID };
}
