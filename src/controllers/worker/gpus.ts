import type { WorkerSpec } from '../../api/worker.ts';
import { containerOf, withContainer } from './containers.ts';
import { asObject, asObjects, type Loose } from './loose.ts';
import { sum } from './throughput.ts';

/** The pod spec with `spec.gpu` merged into it. */
export function withGpus(podSpec: Loose, { gpu }: WorkerSpec): Loose {
  if (!gpu) return podSpec;
  const changed = withContainer(podSpec, (container) => withResource(container, gpu.resource, String(gpu.count)));
  const tolerations = [...asObjects(podSpec['tolerations']), ...(gpu.tolerations ?? [])];
  const nodeSelector = { ...asObject(podSpec['nodeSelector']), ...gpu.nodeSelector };
  return {
    ...changed,
    ...(tolerations.length > 0 && { tolerations: unique(tolerations) }),
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
  };
}

/** GPUs of one pod: as `spec.gpu` says, else what the containers of the template ask for. */
export function gpusPerPod({ gpu, template }: WorkerSpec): number {
  return gpu?.count ?? sum(asObjects(template.spec.containers), gpuLimits);
}

/** The resource that counts the GPUs, for messages. */
export function gpuResource({ gpu, template }: WorkerSpec): string {
  if (gpu) return gpu.resource;
  const limits = asObject(asObject(containerOf(template.spec)?.['resources'])['limits']);
  return Object.keys(limits).find(isGpu) ?? 'nvidia.com/gpu';
}

function gpuLimits(container: Loose): number {
  const limits = Object.entries(asObject(asObject(container['resources'])['limits']));
  return sum(limits, ([name, count]) => (isGpu(name) ? Math.max(0, Math.trunc(Number(count)) || 0) : 0));
}

/** Device plugins call them `nvidia.com/gpu`, `amd.com/gpu`, … */
const isGpu = (resource: string) => resource.endsWith('/gpu');

function withResource(container: Loose, resource: string, count: string): Loose {
  const resources = asObject(container['resources']);
  const merged = (field: string) => ({ [field]: { ...asObject(resources[field]), [resource]: count } });
  return { ...container, resources: { ...resources, ...merged('limits'), ...merged('requests') } };
}

function unique(items: readonly Loose[]): Loose[] {
  return [...new Map(items.map((item) => [JSON.stringify(Object.entries(item).sort()), item])).values()];
}
