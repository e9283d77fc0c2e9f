import { AIWorkflow } from '../../api/aiworkflow.ts';
import { GROUP, VERSION, type KubeObject } from '../../api/resource.ts';
import { OperatorError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { deployments, leases, pods, type Kind } from '../../kube/kinds.ts';
import type { CleanupCluster } from './cleanup.ts';

/** Which operator to take out. */
export interface OperatorPlace {
  /** Its own namespace. */
  readonly namespace: string;
  readonly deployment: string;
  readonly leaseName: string;
  /** The namespaces it serves; all unless given. */
  readonly served?: readonly string[] | undefined;
}

/** Who wrote an EndpointSlice says so by this label. */
export const ENDPOINT_SLICE_MANAGER = 'aiworkflow-operator';

const PAGE = 500;

// As it is: a run that this version cannot read must be released, too.
const runs: Kind<KubeObject> = {
  ...{ apiVersion: `${GROUP}/${VERSION}`, kind: AIWorkflow.kind, plural: AIWorkflow.plural, namespaced: true },
  read: (raw) => raw,
};

const endpointSlices: Kind<KubeObject> = {
  ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices', namespaced: true },
  read: (raw) => raw,
};

/** The cluster behind that client, as the cleanup of that operator sees it. */
export function cleanupCluster(kube: KubeClient, place: OperatorPlace, signal: AbortSignal): CleanupCluster {
  const { namespace } = place;
  const call = { signal };
  return {
    stopOperator: () => stopOperator(kube, place, signal),
    async hasPods(labelSelector) {
      const { items } = await kube.list(pods, { namespace, labelSelector, limit: 1, signal });
      return items.length > 0;
    },
    async *runs() {
      for (const at of place.served ?? [undefined]) yield* pagesOfRuns(kube, at, signal);
    },
    removeFinalizer: (run, finalizer) =>
      kube.removeFinalizer(runs, run, finalizer, call).then(() => undefined, unlessNotFound),
    deleteLease: () => kube.delete(leases, { namespace, name: place.leaseName }, call),
    async deleteEndpointSlices() {
      const labelSelector = `endpointslice.kubernetes.io/managed-by=${ENDPOINT_SLICE_MANAGER}`;
      const { items } = await kube.list(endpointSlices, { namespace, labelSelector, signal });
      for (const { metadata } of items) await kube.delete(endpointSlices, metadata, call);
    },
  };
}

async function stopOperator(
  kube: KubeClient,
  { namespace, deployment: name }: OperatorPlace,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await kube.find(deployments, { namespace, name }, { signal });
  if (found === undefined) return undefined;
  await kube.patchMerge(deployments, { namespace, name }, { spec: { replicas: 0 } }, { signal });
  return Object.entries(found.spec.selector.matchLabels ?? {})
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}

async function* pagesOfRuns(
  kube: KubeClient,
  namespace: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly KubeObject[]> {
  let next: string | undefined;
  do {
    // Without the CRD there are no runs.
    const page = await kube.list(runs, { namespace, limit: PAGE, continue: next, signal }).catch(unlessNotFound);
    yield page?.items ?? [];
    next = page?.continue;
  } while (next !== undefined);
}

function unlessNotFound(thrown: unknown): undefined {
  if (thrown instanceof OperatorError && thrown.reason === 'NotFound') return undefined;
  throw thrown;
}
