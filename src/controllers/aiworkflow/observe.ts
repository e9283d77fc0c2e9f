import type { AIWorkflow } from '../../api/aiworkflow.ts';
import type { ConnectionRef } from '../../api/fields.ts';
import type { Worker } from '../../api/worker.ts';
import { asOperatorError, OperatorError } from '../../errors.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import { describeRun } from '../../temporal/describe.ts';
import { endOf } from '../../temporal/ended.ts';
import type { ConnectionDirectory, Resolution } from '../connection/directory.ts';
import { argsFromOf, type ReadConfigMap } from './args.ts';
import { identityOf, isOurs } from './identity.ts';
import type { RunMemory } from './memory.ts';
import type { ObservedConnection, ObservedDeletion, ObservedEnd, ObservedRun } from './observed.ts';
import { FINALIZER, isFinished } from './plan.ts';
import { connectionRefOf, startRequestOf } from './request.ts';
import { followedRun, type RunTracker } from './tracker.ts';

/** Reads what the operator may know of a namespace; where it may not, the answer is that nothing is special. */
export type ReadNamespace = (
  name: string,
  signal: AbortSignal,
) => Promise<{ readonly labels: Readonly<Record<string, string>>; readonly isTerminating: boolean }>;

/** What observing a run needs from outside. */
export interface RunWorld {
  readonly clusterName: string;
  readonly connections: ConnectionDirectory;
  readonly workerOf: (namespace: string, name: string) => Worker | undefined;
  readonly readConfigMap: ReadConfigMap;
  readonly readNamespace: ReadNamespace;
  readonly memory: RunMemory;
  readonly tracker: RunTracker;
  readonly now: () => Date;
}

/** Reads everything the plan for one AIWorkflow needs. Asks Temporal only where something hinted that the run has changed. */
export async function observeRun(world: RunWorld, resource: AIWorkflow, signal: AbortSignal): Promise<ObservedRun> {
  const { uid } = resource.metadata;
  if (isFinished(resource)) {
    world.tracker.untrack(uid);
    world.memory.forget(uid);
    return { connection: { isUsable: false, reason: 'Succeeded', message: 'The run has ended', needsChange: false } };
  }
  const resolution = await resolve(world, resource, signal);
  world.memory.sees(uid, resolution);
  const connection = connectionView(resolution);
  if (resource.metadata.deletionTimestamp !== undefined) {
    return { connection, ...(await observeDeletion(world, resource, resolution, signal)) };
  }
  if (resource.status.temporal?.runID === undefined) {
    return { connection, start: await observeStart(world, resource, resolution, signal) };
  }
  const followed = followedRun(resource, world.memory.latestRunID(uid));
  if (followed) world.tracker.track(followed, resolution);
  if (!world.memory.isHinted(uid) || !resolution.isUsable) return { connection };
  const foreign = otherCluster(resource, resolution);
  if (foreign) return { connection: foreign };
  return { connection, run: await askTemporal(world, resource, resolution.client, signal) };
}

async function resolve(world: RunWorld, resource: AIWorkflow, signal: AbortSignal): Promise<Resolution> {
  const namespace = resource.metadata.namespace ?? '';
  const ref = connectionRefOf(resource, workerOf(world, resource));
  const labels = needsLabels(ref) ? (await world.readNamespace(namespace, signal)).labels : {};
  return world.connections.resolve(ref, { namespace, labels });
}

const needsLabels = ({ kind }: ConnectionRef) => kind === 'ClusterTemporalConnection';

function workerOf({ workerOf }: RunWorld, { metadata, spec }: AIWorkflow): Worker | undefined {
  const name = spec.workflow.workerRef?.name;
  return name === undefined ? undefined : workerOf(metadata.namespace ?? '', name);
}

function connectionView(resolution: Resolution): ObservedConnection {
  if (!resolution.isUsable) {
    return { isUsable: false, reason: resolution.reason, message: resolution.message, needsChange: false };
  }
  const { connection, server, awaySince } = resolution;
  return {
    isUsable: true,
    clusterID: server.clusterID,
    namespace: connection.spec.namespace,
    uiUrl: connection.spec.uiUrl,
    awaySince,
  };
}

async function observeStart(world: RunWorld, resource: AIWorkflow, resolution: Resolution, signal: AbortSignal) {
  return startRequestOf(resource, {
    clusterName: world.clusterName,
    worker: workerOf(world, resource),
    connection: resolution,
    argsFrom: await argsFromOf(resource, world.readConfigMap, signal),
  });
}

/** A NotFound from another cluster than the run's says nothing, and must not be believed. */
function otherCluster(
  { status }: AIWorkflow,
  resolution: Resolution & { isUsable: true },
): ObservedConnection | undefined {
  const { clusterID, namespace } = status.temporal ?? {};
  const here = { clusterID: resolution.server.clusterID, namespace: resolution.connection.spec.namespace };
  if ((clusterID ?? here.clusterID) === here.clusterID && (namespace ?? here.namespace) === here.namespace)
    return undefined;
  const message = `the run was started on Temporal cluster ${clusterID ?? '?'}, namespace ${namespace ?? '?'}, and the connection leads to ${here.clusterID}, namespace ${here.namespace}`;
  return { isUsable: false, reason: 'WrongCluster', message, needsChange: false };
}

async function askTemporal(
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

/** A deletion must converge with Temporal away, so what cannot be asked is an answer here and not an error. */
async function observeDeletion(
  world: RunWorld,
  resource: AIWorkflow,
  resolution: Resolution,
  signal: AbortSignal,
): Promise<Pick<ObservedRun, 'deletion' | 'run'>> {
  if (!resource.metadata.finalizers?.includes(FINALIZER)) return { deletion: { isHasty: false } };
  const { isTerminating } = await world.readNamespace(resource.metadata.namespace ?? '', signal);
  const isHasty = isTerminating || isCredentialGone(resolution);
  const asked = world.memory.asked(resource.metadata.uid);
  try {
    if (!resolution.client)
      throw new OperatorError('ConnectionNotReady', 'there is no connection to Temporal', { retry: 'backoff' });
    const found = await findRun(world, resource, resolution.client, signal);
    return { run: found.run, deletion: { run: found.identity, asked, isHasty } };
  } catch (thrown) {
    const { message, reason } = asOperatorError(thrown);
    if (reason === 'InternalError') throw thrown;
    return { run: { kind: 'unknown', message }, deletion: { run: pinned(resource), asked, isHasty } };
  }
}

function isCredentialGone(resolution: Resolution): boolean {
  return !resolution.isUsable && resolution.reason !== 'ConnectionMismatch';
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
