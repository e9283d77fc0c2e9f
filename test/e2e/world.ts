import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AIWorkflow } from '../../src/api/aiworkflow.ts';
import { exampleImage } from '../builders/images.ts';
import { toolsFor } from '../builders/tools.ts';
import type { Tools } from '../builders/tools.ts';
import { repository } from '../cluster/places.ts';
import { until } from '../cluster/poll.ts';
import { cluster, freshNamespace } from '../cluster/shared.ts';
import type { LocalCluster } from '../cluster/cluster.ts';

/** The environment variable that names the operator's image, built from this checkout. */
export const operatorImageVariable = 'AIWORKFLOW_E2E_OPERATOR_IMAGE';

/** The cluster with a real node that all e2e files share, one after the other, with a person's tools for it. */
export interface World {
  readonly shared: LocalCluster;
  readonly tools: Tools;
  /** The operator's namespace, this file's own. */
  readonly system: string;
  /** The namespace of the users' resources, this file's own. */
  readonly home: string;
}

/** Makes this file's namespaces. */
export async function enterWorld(prefix: string): Promise<World> {
  const shared = await cluster();
  const [system, home] = await Promise.all([
    freshNamespace(shared, `${prefix}-system`),
    freshNamespace(shared, `${prefix}-home`),
  ]);
  return { shared, tools: await toolsFor(shared.kubeconfig), system, home };
}

/** Installs the kinds. */
export async function installKinds({ tools, system }: World): Promise<void> {
  const chart = join(repository, 'charts/aiworkflow-crds');
  await tools.helm([
    ...['install', 'aiworkflow-crds', chart, `--namespace=${system}`, `--set=operatorNamespace=${system}`, '--wait'],
  ]);
}

/** Installs the operator, or upgrades it, and returns once Helm says that it is ready. */
export async function installOperator({ tools, system }: World, ...values: readonly string[]): Promise<void> {
  const chart = join(repository, 'charts/aiworkflow-operator');
  const image = process.env[operatorImageVariable] ?? '';
  const tag = image.lastIndexOf(':');
  const sets = [`image.repository=${image.slice(0, tag)}`, `image.tag=${image.slice(tag + 1)}`, ...values];
  await tools.helm([
    ...['upgrade', '--install', 'aiworkflow', chart, `--namespace=${system}`, '--wait', '--timeout=120s'],
    ...sets.map((set) => `--set=${set}`),
  ]);
}

/** Uninstalls both charts, as the guide says: the operator first. */
export async function uninstall({ tools, system }: World): Promise<void> {
  for (const release of ['aiworkflow', 'aiworkflow-crds']) {
    await tools.helm(['uninstall', release, `--namespace=${system}`, '--ignore-not-found', '--wait', '--timeout=120s']);
  }
}

/** Removes all that a file may have left, so that the next one finds the cluster as new. */
export async function leaveWorld(world: World): Promise<void> {
  const { shared, tools, system, home } = world;
  await uninstall(world);
  await tools.kubectl(['delete', 'namespace', home, system, '--timeout=120s']);
  await tools.kubectl(['delete', 'crd', '--selector=app.kubernetes.io/part-of=aiworkflow', '--timeout=60s']);
  shared.api.close();
}

/** Applies objects in the users' namespace. */
export async function apply({ tools, home }: World, ...objects: readonly object[]): Promise<void> {
  const input = objects.map((object) => JSON.stringify(object)).join('\n');
  await tools.kubectl(['apply', `--namespace=${home}`, '--filename=-'], { input });
}

const apiVersion = 'aiworkflow.dev/v1alpha1';

/** A run of a workflow type of the integration tests' worker. */
export function aRun(name: string, workflow: object, more: object = {}): object {
  return { apiVersion, kind: 'AIWorkflow', metadata: { name }, spec: { workflow, ...more } };
}

/** A connection by that name. */
export function aConnection(name: string, address: string): object {
  return { apiVersion, kind: 'TemporalConnection', metadata: { name }, spec: { address } };
}

/** The connection `default` and a pool that serves the workflow types of the integration tests, from the example's image. */
export async function aTestPool(name: string, scaling: object, more: object = {}): Promise<object[]> {
  const script = await readFile(join(repository, 'test/integration/workers/python/worker.py'), 'utf8');
  const container = {
    name: 'worker',
    image: exampleImage,
    command: ['python3', '/test/worker.py'],
    volumeMounts: [{ name: 'script', mountPath: '/test' }],
    env: [{ name: 'AIWORKFLOW_HEARTBEAT_SECONDS', value: '1' }],
  };
  const spec = { containers: [container], volumes: [{ name: 'script', configMap: { name: 'worker' } }] };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'worker' }, data: { 'worker.py': script } },
    aConnection('default', 'temporal-frontend.temporal:7233'),
    { apiVersion, kind: 'Worker', metadata: { name }, spec: { taskQueue: name, scaling, template: { spec }, ...more } },
  ];
}

/** The run once it has ended, however it did. */
export async function finished({ shared, home }: World, name: string, deadlineMs = 120_000): Promise<AIWorkflow> {
  return until(`run ${name} to end`, deadlineMs, async () => {
    const run = await shared.api.call<AIWorkflow>(`/apis/${apiVersion}/namespaces/${home}/aiworkflows/${name}`);
    return run.status.conditions?.some(({ type, status }) => type === 'Finished' && status === 'True') && run;
  });
}
