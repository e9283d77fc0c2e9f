import type { WorkerSpec } from '../../api/worker.ts';
import { asObjects, type Loose } from './loose.ts';
import { WORKER_CONTAINER } from './names.ts';

type PodSpec = WorkerSpec['template']['spec'] | Loose;

/** The container that runs the worker: the one named `worker`, else the first. */
export function containerOf(spec: PodSpec): Loose | undefined {
  const containers = asObjects(spec['containers']);
  return containers.find(({ name }) => name === WORKER_CONTAINER) ?? containers[0];
}

/** Names of the environment variables that the worker container sets itself. */
export function variablesOf(spec: PodSpec): ReadonlySet<unknown> {
  return new Set(asObjects(containerOf(spec)?.['env']).map(({ name }) => name));
}

/** The pod spec with another worker container in place of its own. */
export function withContainer(spec: Loose, change: (container: Loose) => Loose): Loose {
  const worker = containerOf(spec);
  const containers = asObjects(spec['containers']);
  return { ...spec, containers: containers.map((one) => (one['name'] === worker?.['name'] ? change(one) : one)) };
}
