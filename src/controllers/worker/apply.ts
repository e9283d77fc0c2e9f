import type { Worker } from '../../api/worker.ts';
import { OperatorError } from '../../errors.ts';
import type { KubeClient, Manifest } from '../../kube/client.ts';
import { deployments, podDisruptionBudgets, pods } from '../../kube/kinds.ts';
import type { Deployment } from '../../kube/types.ts';
import type { Applied } from '../../runtime/reconcile.ts';
import { asObject, type Loose } from './loose.ts';
import { MANAGER, WORKER_LABEL } from './names.ts';
import type { WorkerAction } from './plan.ts';
import { takeOwnership } from './ownership.ts';
import { nameTaken } from './verdicts.ts';
import { ownerOf } from './world.ts';

/** What applying needs of the Kubernetes API. */
export type WorkerWrites = Pick<KubeClient, 'create' | 'find' | 'applyServerSide' | 'patchJson' | 'patchMerge'>;

/** What was refused once is tried again this much later, in case somebody has removed what was in the way. */
export const AGAIN_MS = 30_000;

/** Performs one action. Doing it twice is as good as doing it once. */
export async function applyWorker(
  kube: WorkerWrites,
  worker: Worker,
  action: WorkerAction,
  signal: AbortSignal,
): Promise<Applied<Worker, WorkerAction>> {
  switch (action.type) {
    case 'createDeployment':
      return createDeployment(kube, worker, action, signal);
    case 'updateDeployment':
      await updateDeployment(kube, withUid(withReplicas(action.manifest, action.replicas), action.uid), signal);
      return {};
    case 'scaleDeployment': {
      const patch = { metadata: { uid: action.uid }, spec: { replicas: action.replicas } };
      await kube.patchMerge(deployments, worker.metadata, patch, { signal });
      return {};
    }
    case 'markPod':
      await markPod(kube, worker, action, signal);
      return {};
    case 'createBudget':
      await createBudget(kube, action.manifest, signal);
      return {};
  }
}

/** By POST, never by apply: an apply would take over a stranger's Deployment of that name. */
async function createDeployment(
  kube: WorkerWrites,
  worker: Worker,
  action: Extract<WorkerAction, { type: 'createDeployment' }>,
  signal: AbortSignal,
): Promise<Applied<Worker, WorkerAction>> {
  try {
    await kube.create(deployments, withReplicas(action.manifest, action.replicas), { signal });
    return {};
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw templateProblem(error);
    const existing = await kube.find(deployments, worker.metadata, { signal });
    const owner = existing && ownerOf(existing, worker.metadata.uid);
    if (existing && owner === 'ours') return recover(kube, existing, action.manifest, signal);
    if (owner !== 'stranger')
      throw new OperatorError('Conflict', 'The Deployment is on its way out', { retry: 'backoff' });
    const { reason, message } = nameTaken(worker.metadata.name);
    throw new OperatorError(reason, message, { retry: { afterMs: AGAIN_MS }, cause: error });
  }
}

/** Ours, and yet the watch did not show it: somebody took the label off by which we watch, or the watch is a little behind. */
async function recover(
  kube: WorkerWrites,
  { metadata: { uid, labels }, spec }: Deployment,
  manifest: Loose,
  signal: AbortSignal,
): Promise<Applied<Worker, WorkerAction>> {
  if (labels?.[WORKER_LABEL] !== undefined) {
    throw new OperatorError('Conflict', 'The Deployment exists already', { retry: 'conflict' });
  }
  const replicas = spec.replicas ?? 1;
  await updateDeployment(kube, withUid(withReplicas(manifest, replicas), uid), signal);
  const because = 'Its label was taken off';
  return { action: { type: 'updateDeployment', uid, replicas, manifest, because } };
}

async function updateDeployment(kube: WorkerWrites, manifest: Manifest, signal: AbortSignal) {
  const existing = await kube.find(deployments, manifest.metadata, { signal });
  const ownership = existing && takeOwnership(existing);
  if (ownership) await kube.patchJson(deployments, manifest.metadata, ownership, { signal });
  try {
    await kube.applyServerSide(deployments, manifest, { fieldManager: MANAGER, force: true, signal });
  } catch (error) {
    throw templateProblem(error);
  }
}

/** A pod that is gone needs no marks. */
async function markPod(
  kube: WorkerWrites,
  { metadata: { namespace } }: Worker,
  { pod, annotations }: Extract<WorkerAction, { type: 'markPod' }>,
  signal: AbortSignal,
) {
  try {
    await kube.patchMerge(pods, { namespace, name: pod }, { metadata: { annotations } }, { signal });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}

/** One that is there already stays; the next pass that looks for it sees whose it is. */
async function createBudget(kube: WorkerWrites, manifest: Loose, signal: AbortSignal) {
  try {
    await kube.create(podDisruptionBudgets, manifestOf(manifest), { signal });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

/** The API server validates the template, and knows it better than any schema of ours. */
function templateProblem(error: unknown): unknown {
  if (!(error instanceof OperatorError) || error.reason !== 'KubernetesRejected') return error;
  return new OperatorError('TemplateRejected', error.message, { retry: { afterMs: AGAIN_MS }, cause: error });
}

function hasReason(error: unknown, reason: OperatorError['reason']): boolean {
  return error instanceof OperatorError && error.reason === reason;
}

function withReplicas(manifest: Loose, replicas: number): Manifest {
  return manifestOf({ ...manifest, spec: { ...asObject(manifest['spec']), replicas } });
}

/** Another Deployment of that name, made meanwhile, is refused by the server. */
function withUid(manifest: Manifest, uid: string): Manifest {
  return { ...manifest, metadata: { ...manifest.metadata, uid } };
}

/** `deployment.ts` and `budget.ts` write the name. */
const manifestOf = (manifest: Loose) => manifest as Loose & Manifest;
