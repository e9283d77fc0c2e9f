import type { Worker } from '../../../src/api/worker.ts';
import type { KubeObject } from '../../cluster/api.ts';
import { ApiError } from '../../cluster/api.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { runAnnotation } from '../../cluster/podrunner.ts';
import { until } from '../../cluster/poll.ts';
import { pythonWithKit } from '../pythonenv.ts';
import { testWorker } from '../pythonworker.ts';

const image = 'localhost/test/worker:1';
const node = 'pools';

/** A Deployment, as far as tests read it. */
export interface PoolDeployment extends KubeObject {
  readonly spec: { readonly replicas: number; readonly template: { readonly spec: PoolPod['spec'] } };
}

/** A pod of a pool, as far as tests read it. */
export interface PoolPod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly image: string;
      readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly state?: { readonly running?: object };
    }[];
  };
}

/** What a test says of a pool; the rest is usual. */
export interface PoolSpec {
  readonly scaling?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** Worker pools of one namespace, whose pods run as processes of this machine on a make-believe node of 8 GPUs. */
export class Pools {
  readonly namespace: string;
  private readonly shared: LocalCluster;

  constructor(shared: LocalCluster, namespace: string) {
    this.shared = shared;
    this.namespace = namespace;
  }

  /** Makes the node, once for all test files, and says how the image of `aPool` is run. */
  async prepare(): Promise<void> {
    // Tainted: only pods of these pools come here.
    const taints = [{ key: node, effect: 'NoSchedule' }];
    await this.shared.addGpuNode({ name: node, gpus: 8, taints, labels: { pools: node } }).catch(unlessThere);
    const entrypoint = [await pythonWithKit(), testWorker];
    await this.shared.runPods({ images: { [image]: { entrypoint, env: { PYTHONDONTWRITEBYTECODE: '1' } } } });
  }

  async apply(name: string, pool: PoolSpec = {}): Promise<Worker> {
    const body = {
      apiVersion: 'aiworkflow.dev/v1alpha1',
      kind: 'Worker',
      metadata: { name },
      spec: specOf(name, pool),
    };
    return this.shared.api.call<Worker>(this.path('workers'), { method: 'POST', body });
  }

  /** Merges `spec` into the Worker's. */
  async change(name: string, spec: object): Promise<void> {
    await this.shared.api.call(this.path('workers', name), { method: 'PATCH', body: { spec } });
  }

  get(name: string): Promise<Worker> {
    return this.shared.api.call<Worker>(this.path('workers', name));
  }

  /** The Worker once that condition has that status and reason. */
  until(name: string, wanted: { type: string; status: string; reason?: string }, ms = 60_000): Promise<Worker> {
    return until(`Worker ${name} to be ${wanted.type}=${wanted.status} ${wanted.reason ?? ''}`, ms, async () => {
      const worker = await this.get(name);
      const condition = worker.status.conditions?.find(({ type }) => type === wanted.type);
      const isRight = condition?.status === wanted.status && (wanted.reason ?? condition.reason) === condition.reason;
      return isRight && condition.observedGeneration === worker.metadata.generation && worker;
    });
  }

  deployment(name: string): Promise<PoolDeployment> {
    return this.shared.api.call<PoolDeployment>(this.appsPath(name));
  }

  /** Returns once the Deployment has that many replicas. */
  async untilReplicas(name: string, replicas: number, ms = 60_000): Promise<void> {
    await until(`${name} to have ${replicas} replicas`, ms, async () => {
      return (await this.deployment(name)).spec.replicas === replicas;
    });
  }

  /** The pool's pods that are not on their way out. */
  async pods(name: string): Promise<readonly PoolPod[]> {
    const query = `?labelSelector=aiworkflow.dev/worker%3D${name}`;
    const path = `/api/v1/namespaces/${this.namespace}/pods${query}`;
    const { items } = await this.shared.api.call<{ items: PoolPod[] }>(path);
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Ends a pod without any grace. */
  async kill(pod: string): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/pods/${pod}`;
    await this.shared.api.call(path, { method: 'DELETE', body: { gracePeriodSeconds: 0 } });
  }

  /** Watches the Deployment; the list grows by each number of replicas that it gets, the first included. */
  recordReplicas(name: string): { readonly replicas: readonly number[]; stop(): void } {
    const replicas: number[] = [];
    const controller = new AbortController();
    const path = `${this.appsPath()}?watch=true&fieldSelector=metadata.name%3D${name}`;
    const watch = async () => {
      for await (const { object } of this.shared.api.watch<PoolDeployment>(path, controller.signal)) {
        if (object.spec.replicas !== replicas.at(-1)) replicas.push(object.spec.replicas);
      }
    };
    watch().catch((error: unknown) => {
      if (!controller.signal.aborted) throw error;
    });
    return { replicas, stop: () => controller.abort() };
  }

  appsPath(name?: string): string {
    const collection = `/apis/apps/v1/namespaces/${this.namespace}/deployments`;
    return name === undefined ? collection : `${collection}/${name}`;
  }

  path(plural: string, name?: string): string {
    const collection = `/apis/aiworkflow.dev/v1alpha1/namespaces/${this.namespace}/${plural}`;
    return name === undefined ? collection : `${collection}/${name}`;
  }
}

function specOf(name: string, { scaling, env = {}, spec }: PoolSpec): object {
  const variables = Object.entries({ AIWORKFLOW_HEARTBEAT_SECONDS: '1', ...env });
  return {
    taskQueue: name,
    gpu: { count: 1, nodeSelector: { pools: node }, tolerations: [{ key: node, operator: 'Exists' }] },
    scaling: { mode: 'Backlog', min: 0, max: 4, scaleDownDelay: '3s', ...scaling },
    shutdownGracePeriod: '20s',
    template: {
      metadata: { annotations: { [runAnnotation]: '' } },
      spec: {
        containers: [{ name: 'worker', image, env: variables.map(([variable, value]) => ({ name: variable, value })) }],
      },
    },
    ...spec,
  };
}

function unlessThere(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 409)) throw error;
}
