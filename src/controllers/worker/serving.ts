import { defaultConnectionRef } from '../../api/fields.ts';
import type { Worker } from '../../api/worker.ts';
import type { ConnectionDirectory, Resolution } from '../connection/directory.ts';
import { isObjection, podConnection, type PodConnection } from './credentials.ts';
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
      readonly resolution: Extract<Resolution, { isUsable: true }>;
      readonly connection: PodConnection;
    }
  | { readonly isServed: false; readonly objection: WorkerObjection };

/** Judges alike of the Worker whose turn it is, and of those that it shares a queue with. */
export async function servingOf(world: ServingWorld, worker: ReadWorker, signal: AbortSignal): Promise<Serving> {
  if (worker.problem !== undefined) return refused({ reason: 'InvalidSpec', message: worker.problem }, true);
  const resolution = await resolve(world, worker, signal);
  if (!resolution.isUsable) return refused(resolution, false);
  const connection = podConnection(worker.spec, resolution.connection);
  return isObjection(connection) ? refused(connection, true) : { isServed: true, resolution, connection };
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
