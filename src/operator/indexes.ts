import type { AIWorkflow } from '../api/aiworkflow.ts';
import type { KubeObject } from '../api/resource.ts';
import { defaultConnectionRef } from '../api/fields.ts';
import type { Worker } from '../api/worker.ts';
import { pinnedRef } from '../controllers/aiworkflow/request.ts';
import { connectionKey } from '../controllers/connection/directory.ts';
import { WORKER_LABEL } from '../controllers/worker/names.ts';
import { isSettled } from './projections.ts';

/** By `<namespace>/<name>` of the Worker they name, and by the key of the connection they were started through, name, or get by default. */
export const runIndexes = {
  worker: (run: AIWorkflow) => {
    const name = isSettled(run) ? undefined : specOf(run).workflow?.workerRef?.name;
    return name === undefined ? [] : [`${run.metadata.namespace ?? ''}/${name}`];
  },
  connection: (run: AIWorkflow) => {
    if (isSettled(run)) return [];
    const namespace = run.metadata.namespace ?? '';
    const pinned = pinnedRef(run);
    if (pinned) return [connectionKey(pinned, namespace)];
    const { connectionRef, workflow } = specOf(run);
    if (!connectionRef && workflow?.workerRef) return [];
    return [connectionKey(connectionRef ?? defaultConnectionRef, namespace)];
  },
};

/** By `<namespace>/<name>` of the Worker that they are of. */
export const podIndexes = {
  worker: ({ metadata }: KubeObject) => {
    const name = metadata.labels?.[WORKER_LABEL];
    return name === undefined ? [] : [`${metadata.namespace ?? ''}/${name}`];
  },
};

/** By the key of their connection. */
export const workerIndexes = {
  connection: ({ metadata, spec }: Worker) => [
    connectionKey(spec.connectionRef ?? defaultConnectionRef, metadata.namespace ?? ''),
  ],
};

/** An index must not fail on what an older schema has let through. */
const specOf = ({ spec }: AIWorkflow): Partial<AIWorkflow['spec']> => spec;
