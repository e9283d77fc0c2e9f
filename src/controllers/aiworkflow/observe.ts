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
import type { KeptRun } from './kept.ts';
import type { RunMemory } from './memory.ts';
import {
  isObjection,
  type Objection,
  type ObservedConnection,
  type ObservedDeletion,
  type ObservedEnd,
  type ObservedRun,
} from './observed.ts';
import { FINALIZER, isFinished } from './plan.ts';
import { connectionRefOf, startRequestOf } from './request.ts';
import { followedRun, type RunTracker } from './tracker.ts';

/** Reads what the operator may know of a namespace; where it may not, the answer is that nothing is special. */
export type ReadNamespace = (
  name: string,
  signal: AbortSignal,
) => Promise<{ readonly labels: Readonly<Record<string, string>>; readonly isTerminating: boolean }>;

/** Reads a run as the API server has it, arguments and all. */
export type ReadRun = (run: AIWorkflow, signal: AbortSignal) => Promise<AIWorkflow>;

/** What observing a run needs from outside. */
export interface RunWorld {
  readonly clusterName: string;
  readonly connections: ConnectionDirectory;
  readonly workerOf: (namespace: string, name: string) => Worker | undefined;
  readonly readConfigMap: ReadConfigMap;
  readonly readNamespace: ReadNamespace;
  readonly readRun: ReadRun;
  readonly memory: RunMemory;
  readonly tracker: RunTracker;
  readonly now: () => Date;
}

/** Reads everything the plan for one AIWorkflow needs. Asks Temporal only where something hinted that the run has changed. */
export async function observeRun(world: RunWorld, resource: KeptRun, signal: AbortSignal): Promise<ObservedRun> {
  const { uid } = resource.metadata;
  if (isFinished(resource)) {
    world.tracker.untrack(uid);
    world.memory.forget(uid);
    return { connection: { isUsable: false, reason: 'Succeeded', message: 'The run has ended', needsChange: false } };
  }
  const { ref, resolution } = await resolve(world, resource, signal);
  world.memory.sees(uid, resolution);
  const connection = connectionView(ref, resolution);
  if (resource.metadata.deletionTimestamp !== undefined) {
    return { connection, ...(await observeDeletion(world, resource, resolution, signal)) };
  }
  if (resource.status.temporal?.runID === undefined) {
    return { connection, start: await observeStart(world, resource, resolution, signal) };
  }
  const followed = followedRun(resource, world.memory.latestRunID(uid));
  if (followed) world.tracker.track(followed, resolution);
  // What is away is asked when it is back: its connection tells, and the hint stands.
  if (!world.memory.isHinted(uid) || !resolution.isUsable || resolution.awaySince) return { connection };
  const foreign = otherCluster(resource, resolution);
  if (foreign) return { connection: foreign };
  return { connection, run: await askOrExcuse(world, resource, resolution.client, signal) };
}

async function resolve(world: RunWorld, resource: AIWorkflow, signal: AbortSignal) {
  const namespace = resource.metadata.namespace ?? '';
  const ref = connectionRefOf(resource, workerOf(world, resource));
  const labels = needsLabels(ref) ? (await world.readNamespace(namespace, signal)).labels : {};
  return { ref, resolution: world.connections.resolve(ref, { namespace, labels }) };
}

const needsLabels = ({ kind }: ConnectionRef) => kind === 'ClusterTemporalConnection';

function workerOf({ workerOf }: RunWorld, { metadata, spec }: AIWorkflow): Worker | undefined {
  const name = spec.workflow.workerRef?.name;
  return name === undefined ? undefined : workerOf(metadata.namespace ?? '', name);
}

function connectionView(ref: ConnectionRef, resolution: Resolution): ObservedConnection {
  if (!resolution.isUsable) {
    const { message, problem } = resolution;
    // An operator that has just started has never reached it: it is away all the same.
    const reason = problem?.reason === 'TemporalUnavailable' ? problem.reason : resolution.reason;
    return { isUsable: false, reason, message, needsChange: false, since: problem?.since };
  }
  const { connection, server, awaySince } = resolution;
  return {
    isUsable: true,
    ref,
    clusterID: server.clusterID,
    namespaceID: server.namespaceID,
    namespace: connection.spec.namespace,
    uiUrl: connection.spec.uiUrl,
    awaySince,
  };
}

async function observeStart(world: RunWorld, resource: KeptRun, resolution: Resolution, signal: AbortSignal) {
  const around = {
    clusterName: world.clusterName,
    worker: workerOf(world, resource),
    connection: resolution,
    argsFrom: await argsFromOf(resource, world.readConfigMap, signal),
  };
  const start = startRequestOf(resource, around);
  if (isObjection(start) || resource.specBytes === undefined) return start;
  return startRequestOf(await world.readRun(resource, signal), around);
}

/** A NotFound from another cluster than the run's says nothing, and must not be believed. */
function otherCluster(
  { status }: AIWorkflow,
  { server, client }: Pick<Resolution, 'server' | 'client'>,
): Extract<ObservedConnection, { isUsable: false }> | undefined {
  const here = { clusterID: server?.clusterID, namespaceID: server?.namespaceID, namespace: client?.namespace };
  const home = status.temporal ?? {};
  if (isAtHome(home, here)) return undefined;
  const message = `the run was started on ${placeIn(home)}, and the connection leads to ${placeIn(here)}`;
  return { isUsable: false, reason: 'WrongCluster', message, needsChange: false };
}

/** Where a run belongs, or a connection leads to. */
interface Place {
  readonly clusterID?: string | undefined;
  readonly namespaceID?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Either identity will do: a key may lose the right to see the cluster's, and a namespace may fail over to another cluster. */
function isAtHome(home: Place, here: Place): boolean {
  if (home.namespaceID && home.namespaceID === here.namespaceID) return true;
  const isSame = (field: 'clusterID' | 'namespace') => home[field] === undefined || home[field] === here[field];
  return isSame('clusterID') && isSame('namespace');
}

const placeIn = ({ clusterID = '?', namespace = '?' }: Place) =>
  `Temporal cluster ${clusterID}, namespace ${namespace}`;

/** A Temporal that does not tell about the run is a fact to report, not a reason to give up. */
async function askOrExcuse(
  world: RunWorld,
  resource: AIWorkflow,
  client: TemporalClient,
  signal: AbortSignal,
): Promise<ObservedEnd> {
  try {
    return await askTemporal(world, resource, client, signal);
  } catch (thrown) {
    const { reason, message } = asOperatorError(thrown);
    if (signal.aborted || reason === 'InternalError') throw thrown;
    return { kind: 'unknown', reason, message, since: world.memory.unknown(resource.metadata.uid, world.now()) };
  }
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
    const { message, reason } = asOperatorError(thrown);
    if (reason === 'InternalError') throw thrown;
    const since = world.memory.unknown(resource.metadata.uid, world.now());
    return { run: { kind: 'unknown', reason, message, since }, deletion: { ...about, run: pinned(resource) } };
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
