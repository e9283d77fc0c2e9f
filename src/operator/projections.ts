import type { AIWorkflow } from '../api/aiworkflow.ts';
import { isTrue } from '../api/conditions.ts';
import { withoutArguments, type KeptRun } from '../controllers/aiworkflow/kept.ts';
import type { KubeObject } from '../api/resource.ts';
import type { Deployment, Pod } from '../kube/types.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without what nobody here reads and what is as large as the rest: the bookkeeping of who wrote which field. */
export function withoutNoise<T extends KubeObject>(object: T): T {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata.annotations ?? {};
  const { managedFields: __, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown };
  return { ...object, metadata: { ...metadata, ...(object.metadata.annotations && { annotations }) } };
}

/** Nothing will ever be done about it again, unless it is changed: its run has ended, and it is free to go. */
export function isSettled({ metadata, status }: AIWorkflow): boolean {
  return (
    isTrue(status.conditions, 'Finished') &&
    (metadata.finalizers ?? []).length === 0 &&
    status.observedGeneration === metadata.generation
  );
}

/**
 * A run as it is kept in memory: without what its makers can make large and
 * nobody reads, and a settled one as a small record, so that a hundred thousand
 * of them cost little.
 */
export function keptRun(raw: KeptRun): KeptRun {
  if (isSettled(raw)) return settledRun(raw);
  const { labels: _, annotations: __, ownerReferences: ___, ...metadata } = withoutNoise(raw).metadata;
  return withoutArguments({ ...raw, metadata });
}

function settledRun({ metadata, status }: AIWorkflow): AIWorkflow {
  const { name, namespace, uid, resourceVersion, generation } = metadata;
  const { conditions, observedGeneration } = status;
  const finished = (conditions ?? []).filter(({ type }) => type === 'Finished');
  return {
    metadata: { name, uid, resourceVersion, ...(namespace && { namespace }), ...(generation && { generation }) },
    // Of the spec nobody may read anything any more, see `isSettled`.
    spec: settledSpec,
    status: { conditions: finished, observedGeneration },
  } as AIWorkflow;
}

const settledSpec = Object.freeze({ workflow: Object.freeze({ type: '' }) });

/** A pod without its spec, of which the scaler reads nothing. */
export function keptPod(raw: Pod): Pod {
  const { metadata, status } = withoutNoise(raw);
  return { metadata, ...(status && { status }) } as Pod;
}

/** A Deployment without its template. */
export function keptDeployment(raw: Deployment): Deployment {
  const { metadata, spec, status } = withoutNoise(raw);
  const { replicas, selector } = spec;
  return {
    metadata,
    spec: { ...(replicas !== undefined && { replicas }), selector },
    ...(status && { status }),
  } as Deployment;
}
