import type { Worker } from '../../api/worker.ts';
import { ownedMetadata } from './deployment.ts';
import type { Loose } from './loose.ts';
import { WORKER_LABEL } from './names.ts';

/** The PodDisruptionBudget of a Worker: drains take its pods one at a time, and pods that are broken anyway at any time. */
export function desiredBudget(worker: Worker): Loose {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: ownedMetadata(worker),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { [WORKER_LABEL]: worker.metadata.name } },
    },
  };
}
