import { makeCgroup } from './cgroups.ts';
import type { Api } from './api.ts';
import { containerdSpec, ctr, prepareContainerd } from './containerd.ts';
import { clusterAddress, podRange } from './controlplane.ts';
import { dnsSpec, prepareDns } from './dns.ts';
import { importImage } from './images.ts';
import { pauseImage, pauseTag } from './images-pause.ts';
import { kubeletSpec, kubeProxySpec, prepareKubelet } from './kubelet.ts';
import { makeNetwork } from './network.ts';
import { until } from './poll.ts';
import { startProcess } from './processes.ts';
import type { Progress } from './progress.ts';
import { waitReady } from './readiness.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';

const containerdMs = 20_000;

/** What the servers of a real node stand on: its network, and the control group of its pods. */
export async function prepareNode(state: ClusterState): Promise<void> {
  if (state.network !== undefined) await makeNetwork(state.network);
  await makeCgroup(state.instance);
}

/** Starts the container runtime and gives it the one image that every pod needs. Needs no API server. */
export async function startRuntime(state: ClusterState, progress: Progress): Promise<void> {
  // The controller-manager hands out /24s in order, and this node is the first.
  await prepareContainerd(state, podRange.replace('/16', '/24'));
  await startProcess(folderOf(state.instance), containerdSpec(state));
  const pause = await pauseImage(progress);
  await until('containerd to serve', containerdMs, async () => (await ctr(state, 'version')) !== '');
  await importImage(state, pauseTag, pause);
}

/** Starts what joins the node to the API server and returns once it is Ready, with its GPUs. */
export async function startNode(state: ClusterState, api: Api): Promise<void> {
  await prepareKubelet(state);
  await prepareDns(state);
  const folder = folderOf(state.instance);
  for (const spec of [kubeletSpec(state), kubeProxySpec(state), dnsSpec(state)]) await startProcess(folder, spec);
  await publishTemporal(state, api);
  await Promise.all(['kubelet', 'coredns', 'kube-proxy'].map((name) => waitReady(state, name)));
}

// Temporal runs on the node but in no pod: a Service without selector gives it the name it has on real clusters.
async function publishTemporal(state: ClusterState, api: Api): Promise<void> {
  const namespace = 'temporal';
  const name = 'temporal-frontend';
  const port = { name: 'grpc', port: 7233, protocol: 'TCP' };
  const create = (path: string, body: object) => api.call(path, { method: 'POST', body });
  await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await create(`/api/v1/namespaces/${namespace}/services`, {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [port] } },
  });
  await create(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ ...port, port: state.ports.temporal }],
    endpoints: [{ addresses: [clusterAddress(state)] }],
  });
}
