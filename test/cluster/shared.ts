import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { attach } from './cluster.ts';
import type { LocalCluster } from './cluster.ts';
import { repository } from './places.ts';
import { until } from './poll.ts';

/** The environment variable that names the cluster which all test files of a run share. */
export const sharedClusterVariable = 'AIWORKFLOW_TEST_CLUSTER';

/**
 * The cluster of this test run, made by `globalsetup.ts`. To run one test file again and again against a cluster of your
 * own: `node test/cluster/main.ts up --name mine`, then AIWORKFLOW_TEST_CLUSTER=mine.
 */
export async function cluster(): Promise<LocalCluster> {
  const instance = process.env[sharedClusterVariable];
  if (instance === undefined) throw new Error('There is no test cluster: this jest project needs globalsetup.ts');
  return attach(instance);
}

/** A namespace of its own for a test; returns its name once pods can be made in it. */
export async function freshNamespace(shared: LocalCluster, prefix = 'test'): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await shared.api.call('/api/v1/namespaces', { method: 'POST', body });
  const path = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  await until(`the default ServiceAccount of ${name}`, 30_000, () => shared.api.call(path));
  return name;
}

/**
 * A Temporal namespace of its own for a test: its queues, workflow IDs and rate limits are nobody else's. Returns its
 * name once the server serves it.
 */
export async function freshTemporalNamespace(shared: LocalCluster, prefix = 'test'): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  await shared.temporal(['operator', 'namespace', 'create', '--namespace', name, '--retention', '24h']);
  // Every part of the server reads new namespaces into a cache of its own, some seconds apart.
  const list = ['workflow', 'list', '--namespace', name, '--limit', '1'];
  await until(`Temporal namespace ${name}`, 30_000, async () => (await shared.temporal(list), true));
  return name;
}

/** Applies our generated CRDs and returns once the API server serves them. May be called by every test file. */
export async function applyCrds(shared: LocalCluster, folder = join(repository, 'crds')): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  const documents = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const input = documents.join('\n---\n');
  await shared.kubectl(['apply', '--server-side', '--force-conflicts', '--filename', '-'], { input });
  const wait = ['wait', '--for=condition=Established', '--timeout=30s', '--filename', '-'];
  await shared.kubectl(wait, { input });
}
