import { defaultConnectionRef } from '../../api/fields.ts';
import type { Connection } from '../../api/connection.ts';
import type { Worker } from '../../api/worker.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import type { ConnectionDirectory, Resolution } from '../connection/directory.ts';
import { isObjection, podConnection, type Objection, type PodConnection } from './credentials.ts';
import type { WorkerObjection } from './observed.ts';

/** A Worker as it was read; `problem`: why its spec does not parse. */
export type ReadWorker = Worker & { readonly problem?: string };

/** What asking for the means of a Worker needs from outside. */
export interface ServingWorld {
  readonly connections: Pick<ConnectionDirectory, 'resolve'>;
  readonly labelsOf: (namespace: string, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
}

/** What a Worker is served with, or why it is not. */
export type Serving =
  | {
      readonly isServed: true;
      /** Key of the connection. */
      readonly key: string;
      readonly connection: PodConnection;
      /** The client to ask; or why nobody can be asked now. */
      readonly temporal: TemporalClient | Objection;
    }
  | { readonly isServed: false; readonly objection: WorkerObjection };

/** Judges alike of the Worker whose turn it is, and of those that it shares a queue with. */
export async function servingOf(world: ServingWorld, worker: ReadWorker, signal: AbortSignal): Promise<Serving> {
  if (worker.problem !== undefined) return refused({ reason: 'InvalidSpec', message: worker.problem }, true);
  const resolution = await resolve(world, worker, signal);
  if (!resolution.isUsable && !isOutage(resolution)) return refused(resolution, false);
  const connection = podConnection(worker.spec, resolution.connection);
  if (isObjection(connection)) return refused(connection, true);
  return { isServed: true, key: resolution.key, connection, temporal: temporalOf(resolution) };
}

type Unusable = Extract<Resolution, { isUsable: false }>;

/** Whether a pool keeps its pods, or gets its size, all the same: the connection is there, and may be used, but does not work now. */
function isOutage(resolution: Unusable): resolution is Unusable & { readonly connection: Connection } {
  const { connection, problem, reason } = resolution;
  return connection !== undefined && reason === 'ConnectionNotReady' && problem?.reason !== 'InvalidSpec';
}

/** Who is known to be away is not asked: the question would hold a pass, and whoever waits for one, until its deadline. */
function temporalOf(resolution: Resolution): TemporalClient | Objection {
  if (!resolution.isUsable)
    return { reason: resolution.problem?.reason ?? resolution.reason, message: resolution.message };
  const { awaySince, client } = resolution;
  return awaySince ? { reason: 'TemporalUnavailable', message: 'Temporal does not answer' } : client;
}

async function resolve(world: ServingWorld, { metadata, spec }: Worker, signal: AbortSignal): Promise<Resolution> {
  const { namespace = '' } = metadata;
  const ref = spec.connectionRef ?? defaultConnectionRef;
  const labels = ref.kind === 'ClusterTemporalConnection' ? await world.labelsOf(namespace, signal) : {};
  return world.connections.resolve(ref, { namespace, labels });
}

function refused({ reason, message }: Omit<WorkerObjection, 'needsChange'>, needsChange: boolean): Serving {
  return { isServed: false, objection: { reason, message, needsChange } };
}
