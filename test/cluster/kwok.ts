import type { Api, KubeObject } from './api.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import { repository } from './places.ts';
import { until } from './poll.ts';
import type { ProcessSpec } from './processes.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';
import { join } from 'node:path';

/** A make-believe node with GPUs, for the real scheduler to count. */
export interface GpuNode {
  readonly name: string;
  readonly gpus: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** CPUs, memory and pods it claims to have; by default plenty. */
  readonly capacity?: Readonly<Record<string, string>>;
}

const plenty = { cpu: '64', memory: '256Gi', pods: '110' };
const nodeReadyMs = 20_000;

/** kwok with our own Stages: it plays the kubelet of every node labelled `type=kwok`. */
export function kwokSpec(state: ClusterState): ProcessSpec {
  return {
    name: 'kwok',
    program: state.programs['kwok'] ?? 'kwok',
    args: [
      `--kubeconfig=${kubeconfigFile(folderOf(state.instance), 'kwok')}`,
      `--config=${join(repository, 'tools/kwok/stages.yaml')}`,
      '--manage-nodes-with-label-selector=type=kwok',
      '--node-lease-duration-seconds=40',
      '--cidr=10.250.0.0/16',
      '--node-ip=127.0.0.1',
    ],
    ...(state.network && { netns: state.network.namespace }),
  };
}

/** Adds the node and returns once it is Ready. */
export async function addGpuNode(api: Api, { name, gpus, labels, taints, capacity }: GpuNode): Promise<void> {
  const resources = { ...plenty, ...capacity, 'nvidia.com/gpu': String(gpus) };
  await api.call('/api/v1/nodes', {
    method: 'POST',
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { type: 'kwok', 'kubernetes.io/hostname': name, ...labels } },
      spec: { taints },
      status: { capacity: resources, allocatable: resources },
    },
  });
  await until(`node ${name} to be Ready`, nodeReadyMs, async () => isNodeReady(await readNode(api, name)));
}

/** A Node, as far as we read it. */
export interface NodeObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** That node as the API server has it. */
export async function readNode(api: Api, name: string): Promise<NodeObject> {
  return api.call<NodeObject>(`/api/v1/nodes/${name}`);
}

/** Whether its Ready condition is True. */
export function isNodeReady(node: NodeObject): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
