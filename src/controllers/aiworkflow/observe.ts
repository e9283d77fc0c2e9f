import type { AIWorkflow } from '../../api/aiworkflow.ts';
import type { ConnectionRef } from '../../api/fields.ts';
import type { Worker } from '../../api/worker.ts';
import type { Resolution } from '../connection/directory.ts';
import { argsFromOf } from './args.ts';
import { askOrExcuse } from './ask.ts';
import { observeDeletion } from './deletion.ts';
import { otherCluster } from './home.ts';
import type { KeptRun } from './kept.ts';
import { isObjection, type ObservedConnection, type ObservedRun } from './observed.ts';
import { isFinished } from './plan.ts';
import { connectionRefOf, startRequestOf } from './request.ts';
import { followedRun } from './tracker.ts';
import type { RunWorld } from './world.ts';

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
