import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cleanUp } from '../../../src/controllers/cleanup/cleanup.ts';
import { cleanupCluster, ENDPOINT_SLICE_MANAGER } from '../../../src/controllers/cleanup/index.ts';
import { selfTest } from '../../../src/controllers/selftest/index.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { connectKube } from '../../../src/kube/connect.ts';
import type { Log } from '../../../src/runtime/ports.ts';
import { chartAccount } from '../../builders/chart.ts';
import type { Api, KubeObject } from '../../cluster/api.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { until } from '../../cluster/poll.ts';
import { applyCrds, cluster, freshNamespace } from '../../cluster/shared.ts';

// Each with the rights that the chart gives the hook, and no others.

const finalizer = 'aiworkflow.dev/run';
const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

let shared: LocalCluster;
let api: Api;
const clients: KubeClient[] = [];

beforeAll(async () => {
  shared = await cluster();
  api = shared.api;
  await applyCrds(shared);
  // Tainted: other tests' pods keep off it.
  const taints = [{ key: 'hooks', effect: 'NoSchedule' }];
  await shared.addGpuNode({ name: 'hooks', gpus: 0, taints }).catch(() => undefined);
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  api.close();
});

describe('cleaning up after the operator', () => {
  it('ends its pods, frees the runs it served and no others, and leaves nothing of its own', async () => {
    const [own, served, foreign] = await Promise.all([
      freshNamespace(shared, 'cleanup'),
      freshNamespace(shared, 'served'),
      freshNamespace(shared, 'foreign'),
    ]);
    const release = { name: 'aiworkflow', namespace: own };
    const kube = await clientOf(chartAccount(shared, release, { namespaces: [served] }, 'aiworkflow-cleanup'));
    await makeOperator(own);
    await Promise.all(Array.from({ length: 40 }, (_, i) => makeRun(served, `run-${i}`, ['other.dev/x', finalizer])));
    await makeRun(foreign, 'run', [finalizer]);

    const signal = AbortSignal.timeout(60_000);
    const place = { namespace: own, deployment: 'aiworkflow', leaseName: 'aiworkflow', served: [served] };
    await cleanUp(cleanupCluster(kube, place, signal), { finalizer, signal, log: quiet });

    expect(await names(`/api/v1/namespaces/${own}/pods`)).toEqual([]);
    expect(await names(`/apis/coordination.k8s.io/v1/namespaces/${own}/leases`)).toEqual([]);
    expect(await names(`/apis/discovery.k8s.io/v1/namespaces/${own}/endpointslices`)).toEqual(['of-somebody']);
    const left = await Promise.all([finalizersOf(served), finalizersOf(foreign)]);
    expect(left).toEqual([Array.from({ length: 40 }, () => ['other.dev/x']), [[finalizer]]]);
  });

  it('can be done again, when everything is gone already', async () => {
    const namespace = await freshNamespace(shared, 'cleanup');
    const release = { name: 'aiworkflow', namespace };
    const kube = await clientOf(chartAccount(shared, release, { namespaces: [namespace] }, 'aiworkflow-cleanup'));
    const signal = AbortSignal.timeout(30_000);
    const place = { namespace, deployment: 'aiworkflow', leaseName: 'aiworkflow', served: [namespace] };
    await cleanUp(cleanupCluster(kube, place, signal), { finalizer, signal, log: quiet });
  });

  it('of all namespaces is allowed by the chart, too', async () => {
    const namespace = await freshNamespace(shared, 'cleanup');
    const release = { name: 'aiworkflow', namespace };
    const kube = await clientOf(chartAccount(shared, release, {}, 'aiworkflow-cleanup'));
    await makeRun(namespace, 'run', ['test.dev/ours']);
    const signal = AbortSignal.timeout(30_000);
    const place = { namespace, deployment: 'aiworkflow', leaseName: 'aiworkflow' };
    // Not the real finalizer: other tests of this cluster rely on theirs.
    await cleanUp(cleanupCluster(kube, place, signal), { finalizer: 'test.dev/ours', signal, log: quiet });
    expect(await finalizersOf(namespace)).toEqual([[]]);
  });
});

describe('testing a release', () => {
  it('waits for the operator and has the API server take a run, of which nothing is kept', async () => {
    const namespace = await freshNamespace(shared, 'selftest');
    const account = chartAccount(shared, { name: 'aiworkflow', namespace }, {}, 'aiworkflow-test');
    let asked = 0;
    const url = await serve(() => (++asked < 3 ? 503 : 200));
    const options = { url, namespace, signal: AbortSignal.timeout(30_000), log: quiet };
    await selfTest(await clientOf(account), options);
    expect(asked).toBe(3);
    expect(await finalizersOf(namespace)).toEqual([]);
  });

  it('says what the operator said, when it does not get ready', async () => {
    const url = await serve(() => 503);
    const options = { url, namespace: 'default', signal: AbortSignal.timeout(800), log: quiet };
    const kube = connectKube({ kubeconfig: shared.kubeconfig });
    clients.push(kube);
    await expect(selfTest(kube, options)).rejects.toThrow(/not ready: http.* answers 503 caches/);
  });
});

const servers: ReturnType<typeof createServer>[] = [];
afterAll(() => servers.forEach((server) => void server.close()));

async function serve(status: () => number): Promise<string> {
  const server = createServer((_, response) => void response.writeHead(status()).end('caches are not synced'));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
}

async function clientOf(kubeconfig: Promise<string>): Promise<KubeClient> {
  const client = connectKube({ kubeconfig: await kubeconfig });
  clients.push(client);
  return client;
}

/** What an operator leaves: a Deployment with pods that take their time, its Lease, its EndpointSlice and a stranger's. */
async function makeOperator(namespace: string): Promise<void> {
  const labels = { 'app.kubernetes.io/name': 'aiworkflow-operator', 'app.kubernetes.io/instance': 'aiworkflow' };
  const pod = { metadata: { labels, annotations: { 'test/drain': '2s' } }, spec: podSpec };
  const apps = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const spec = { replicas: 2, selector: { matchLabels: labels }, template: pod };
  await api.call(apps, { method: 'POST', body: { metadata: { name: 'aiworkflow' }, spec } });
  await api.call(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, {
    method: 'POST',
    body: { metadata: { name: 'aiworkflow' }, spec: {} },
  });
  for (const [name, manager] of [
    ['of-operator', ENDPOINT_SLICE_MANAGER],
    ['of-somebody', 'somebody'],
  ] as const) {
    const metadata = { name, labels: { 'endpointslice.kubernetes.io/managed-by': manager } };
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    await api.call(path, { method: 'POST', body: { metadata, addressType: 'IPv4', endpoints: [] } });
  }
  await until('the pods to run', 30_000, async () => {
    const { status } = await api.call<{ status: { readyReplicas?: number } }>(`${apps}/aiworkflow`);
    return status.readyReplicas === 2;
  });
}

const podSpec = {
  containers: [{ name: 'operator', image: 'none' }],
  nodeSelector: { 'kubernetes.io/hostname': 'hooks' },
  tolerations: [{ key: 'hooks', operator: 'Exists' }],
};

const runsOf = (namespace: string) => `/apis/aiworkflow.dev/v1alpha1/namespaces/${namespace}/aiworkflows`;

async function makeRun(namespace: string, name: string, finalizers: readonly string[]): Promise<void> {
  const spec = { workflow: { type: 'T', taskQueue: 'q' } };
  const body = { apiVersion: 'aiworkflow.dev/v1alpha1', kind: 'AIWorkflow', metadata: { name, finalizers }, spec };
  await api.call(runsOf(namespace), { method: 'POST', body });
}

async function finalizersOf(namespace: string): Promise<string[][]> {
  const { items } = await api.call<{ items: { metadata: { finalizers?: string[] } }[] }>(runsOf(namespace));
  return items.map(({ metadata }) => metadata.finalizers ?? []);
}

async function names(path: string): Promise<string[]> {
  const { items } = await api.call<{ items: KubeObject[] }>(path);
  return items.map(({ metadata }) => metadata.name);
}
