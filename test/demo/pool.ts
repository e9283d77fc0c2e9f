import type { Tools } from '../builders/tools.ts';
import { follow } from './follow.ts';

/** A pool as it is watched from outside: everything that was ever seen of it. */
export interface PoolRecord {
  /** The Deployment's `spec.replicas`, one entry a change. */
  readonly replicas: readonly number[];
  readonly pods: readonly PodRecord[];
  stop(): void;
}

/** What was seen of one pod. */
export interface PodRecord {
  readonly name: string;
  readonly node?: string | undefined;
  /** Its limit of `nvidia.com/gpu`. */
  readonly gpus: string;
  readonly isReady: boolean;
  /** How its container ended, once it has. */
  readonly end?: ContainerEnd | undefined;
}

/** How a container ended, in the kubelet's words. */
export interface ContainerEnd {
  readonly exitCode: number;
  readonly reason?: string;
}

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly replicas: number };
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
    }[];
  };
  readonly status?: { readonly containerStatuses?: readonly ContainerStatus[] };
}

interface ContainerStatus {
  readonly ready: boolean;
  readonly state?: { readonly terminated?: ContainerEnd };
}

/** Watches the Worker's Deployment and pods, and tells what changes. */
export function recordPool(
  tools: Tools,
  pool: { readonly namespace: string; readonly worker: string },
  tell: (text: string) => void,
): PoolRecord {
  const replicas: number[] = [];
  const pods = new Map<string, PodRecord>();
  const at = ['--namespace', pool.namespace];
  const stops = [
    follow(tools, ['deployments', ...at], (seen) => {
      const { metadata, spec } = seen as Deployment;
      const before = replicas.at(-1);
      if (metadata.name !== pool.worker || before === spec.replicas) return;
      replicas.push(spec.replicas);
      if (before !== undefined) tell(`replicas ${before} → ${spec.replicas}`);
    }),
    follow(tools, ['pods', ...at, '--selector', `aiworkflow.dev/worker=${pool.worker}`], (seen) => {
      const pod = seen as Pod;
      const before = pods.get(pod.metadata.name);
      const after = podRecord(pod, before);
      pods.set(after.name, after);
      for (const text of newsOf(before, after)) tell(`pod ${after.name} ${text}`);
    }),
  ];
  return {
    replicas,
    get pods() {
      return [...pods.values()];
    },
    stop: () => stops.forEach((stop) => stop()),
  };
}

function podRecord({ metadata, spec, status }: Pod, before: PodRecord | undefined): PodRecord {
  const [container] = status?.containerStatuses ?? [];
  const isReady = container?.ready ?? false;
  const end = container?.state?.terminated ?? before?.end;
  return { name: metadata.name, node: spec.nodeName, gpus: gpusOf(spec), isReady, end };
}

function gpusOf({ containers: [container] }: Pod['spec']): string {
  return container?.resources?.limits?.['nvidia.com/gpu'] ?? '0';
}

function newsOf(before: PodRecord | undefined, after: PodRecord): string[] {
  const old = new Set(before ? storyOf(before) : []);
  return storyOf(after).filter((sentence) => !old.has(sentence));
}

function storyOf({ node, gpus, isReady, end }: PodRecord): string[] {
  return [
    ...(node === undefined ? [] : [`runs on ${node} with nvidia.com/gpu: ${gpus}`]),
    ...(isReady ? ['is ready'] : []),
    ...(end ? [`ended with exit code ${end.exitCode} (${end.reason ?? '?'})`] : []),
  ];
}
