import type { KubeObject } from '../../api/resource.ts';
import type { Deployment, KubeCondition, Pod } from '../../kube/types.ts';
import { isGuarded } from './marks.ts';
import { BACKLOG_REPLICAS_ANNOTATION, HASH_ANNOTATION, TEMPLATE_ANNOTATION } from './names.ts';
import type { ObservedDeployment, ObservedPod } from './observed.ts';

/** What the kubelet says of a container on its normal way up. */
const STARTING = new Set(['ContainerCreating', 'PodInitializing']);

/** A Deployment as the planner sees it. `uid`: of the Worker it should belong to. */
export function observedDeployment(deployment: Deployment, uid: string): ObservedDeployment {
  const { metadata, spec, status } = deployment;
  const annotations = metadata.annotations ?? {};
  const backlogReplicas = Number(annotations[BACKLOG_REPLICAS_ANNOTATION]);
  return {
    uid: metadata.uid,
    owner: ownerOf(deployment, uid),
    replicas: spec.replicas ?? 1,
    hash: annotations[HASH_ANNOTATION],
    backlogReplicas: Number.isInteger(backlogReplicas) ? backlogReplicas : undefined,
    deadlineExceeded: messageOf(status?.conditions, 'Progressing', 'False'),
    replicaFailure: messageOf(status?.conditions, 'ReplicaFailure', 'True'),
  };
}

/** Whose an object is that has the Worker's name. One that is on its way out counts as a predecessor's. */
export function ownerOf({ metadata }: KubeObject, uid: string): ObservedDeployment['owner'] {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  if (owner?.kind !== 'Worker' || owner.name !== metadata.name) return 'stranger';
  return owner.uid === uid && metadata.deletionTimestamp === undefined ? 'ours' : 'predecessor';
}

/**
 * Pods as the scaler sees them; those that have ended count for nothing, as
 * they do for their ReplicaSet. `workerContainer`: the name of the container
 * that works.
 */
export function observedPods(pods: readonly Pod[], workerContainer: unknown): ObservedPod[] {
  return pods
    .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
    .map((pod) => observedPod(pod, workerContainer));
}

function observedPod({ metadata, status }: Pod, workerContainer: unknown): ObservedPod {
  const { annotations = {}, ownerReferences = [] } = metadata;
  return {
    name: metadata.name,
    isReady: find(status?.conditions, 'Ready', 'True') !== undefined,
    isTerminating: metadata.deletionTimestamp !== undefined,
    hasProcess: isRunning(status, workerContainer),
    isGuarded: isGuarded(annotations),
    replicaSet: ownerReferences.find(({ controller }) => controller)?.name ?? '',
    templateHash: annotations[TEMPLATE_ANNOTATION] ?? '',
    unschedulable: messageOf(status?.conditions, 'PodScheduled', 'False'),
    waitingReason: waitingReason(status),
  };
}

/** A sidecar holds no work. In a pod of an earlier template the container may have had another name. */
function isRunning(status: Pod['status'], workerContainer: unknown): boolean {
  const all = status?.containerStatuses ?? [];
  const worker = all.filter(({ name }) => name === workerContainer);
  return (worker.length > 0 ? worker : all).some(({ state }) => state?.running !== undefined);
}

function waitingReason(status: Pod['status']): string | undefined {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  for (const { name, state } of containers) {
    const { reason, message } = state?.waiting ?? {};
    if (reason === undefined || STARTING.has(reason)) continue;
    return `container ${name}: ${[reason, message].filter(Boolean).join(': ')}`;
  }
  return undefined;
}

function find(conditions: readonly KubeCondition[] | undefined, type: string, status: KubeCondition['status']) {
  return conditions?.find((one) => one.type === type && one.status === status);
}

function messageOf(...args: Parameters<typeof find>): string | undefined {
  const condition = find(...args);
  return condition && (condition.message ?? condition.reason ?? condition.type);
}
