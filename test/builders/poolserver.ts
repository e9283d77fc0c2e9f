import { keyOf, type KubeObject } from '../../src/api/resource.ts';
import type { Worker } from '../../src/api/worker.ts';
import { OperatorError } from '../../src/errors.ts';
import type { KubeClient, Manifest } from '../../src/kube/client.ts';
import { passOverWorker, workerReconciler, type WorkerKube } from '../../src/controllers/worker/index.ts';
import type { WorkerAction } from '../../src/controllers/worker/plan.ts';
import { WORKER_LABEL } from '../../src/controllers/worker/names.ts';
import type { Kind } from '../../src/kube/kinds.ts';
import type { ObjectName } from '../../src/kube/path.ts';
import type { Deployment, PodDisruptionBudget } from '../../src/kube/types.ts';
import type { Host, PassResult } from '../../src/runtime/reconcile.ts';
import { aPoolWorld, type Held, type PoolWorld } from './poolworld.ts';

type Writes = Record<string, unknown>;

/** An API server of tests: it keeps what is written to it, and refuses what the test wants refused. */
export class PoolServer implements WorkerKube {
  private readonly objects = new Map<string, KubeObject>();
  private readonly refusals = new Map<string, OperatorError>();
  private writes = 0;

  /** From now on throws this instead of writing: `create poddisruptionbudgets`, say. Undefined: no more. */
  refuse(what: string, error: OperatorError | undefined): void {
    if (error) this.refusals.set(what, error);
    else this.refusals.delete(what);
  }

  deployment(worker: Worker): Deployment | undefined {
    return this.objects.get(`deployments/${keyOf(worker)}`) as Deployment | undefined;
  }

  budget(worker: Worker): PodDisruptionBudget | undefined {
    return this.objects.get(`poddisruptionbudgets/${keyOf(worker)}`) as PodDisruptionBudget | undefined;
  }

  /** Puts an object there, as somebody else would; undefined: takes it away. */
  put(plural: string, key: string, object: KubeObject | undefined): void {
    if (object) this.objects.set(`${plural}/${key}`, object);
    else this.objects.delete(`${plural}/${key}`);
  }

  find: KubeClient['find'] = async <T extends KubeObject>(kind: Kind<T>, name: ObjectName) =>
    this.objects.get(idOf(kind, name)) as T | undefined;

  create: KubeClient['create'] = async <T extends KubeObject>(kind: Kind<T>, manifest: Manifest) => {
    this.throwRefusal('create', kind);
    const id = idOf(kind, manifest.metadata);
    if (this.objects.has(id)) throw new OperatorError('AlreadyExists', `${id} exists`, { retry: 'never' });
    const metadata = { ...manifest.metadata, uid: `u-${id}-${this.writes}` };
    return this.write(id, { ...manifest, metadata }) as T;
  };

  applyServerSide: KubeClient['applyServerSide'] = async <T extends KubeObject>(kind: Kind<T>, manifest: Manifest) => {
    this.throwRefusal('apply', kind);
    return this.write(idOf(kind, manifest.metadata), { ...manifest }) as T;
  };

  patchMerge: KubeClient['patchMerge'] = async <T extends KubeObject>(
    kind: Kind<T>,
    name: ObjectName,
    patch: object,
  ) => {
    this.throwRefusal('patch', kind);
    const id = idOf(kind, name);
    const before = this.objects.get(id);
    if (!before) throw new OperatorError('NotFound', `${id} does not exist`, { retry: 'backoff' });
    return this.write(id, merged(before as unknown as Writes, patch as Writes)) as T;
  };

  patchJson: KubeClient['patchJson'] = async <T extends KubeObject>(kind: Kind<T>, name: ObjectName): Promise<T> =>
    this.objects.get(idOf(kind, name)) as T;

  private throwRefusal(verb: string, { plural }: Kind<KubeObject>): void {
    const refusal = this.refusals.get(`${verb} ${plural}`);
    if (refusal) throw refusal;
  }

  private write(id: string, object: Writes): KubeObject {
    this.writes += 1;
    const metadata = { ...(object['metadata'] as KubeObject['metadata']), resourceVersion: String(this.writes) };
    const written = { ...object, metadata };
    this.objects.set(id, written);
    return written;
  }
}

const idOf = ({ plural }: Kind<KubeObject>, { namespace, name }: ObjectName) => `${plural}/${namespace ?? ''}/${name}`;

function merged(before: Writes, patch: Writes): Writes {
  const entries = Object.entries(patch).map(([name, value]): [string, unknown] => {
    const isObject = typeof value === 'object' && value !== null;
    return [name, isObject ? merged((before[name] ?? {}) as Writes, value as Writes) : value];
  });
  return { ...before, ...Object.fromEntries(entries) };
}

/** A Worker in front of its servers, looked at whenever the test says so. */
export class PoolScene {
  readonly server = new PoolServer();
  readonly world: PoolWorld;
  readonly applied: WorkerAction[] = [];
  worker: Worker;
  /** From now on the watch shows no Deployment any more. */
  isWatchBehind = false;

  constructor(worker: Worker, held: Omit<Held, 'workers' | 'deployments'>) {
    this.worker = worker;
    this.world = aPoolWorld({ workers: [worker], ...held });
  }

  /** One pass; before it the watch catches up, unless it is behind, and shows what carries the label. */
  pass(given: Partial<Host<Worker, WorkerAction>> = {}): Promise<PassResult> {
    this.watch();
    const reconciler = workerReconciler({ ...this.world, kube: this.server });
    const host: Host<Worker, WorkerAction> = {
      now: this.world.now,
      writeStatus: async (_, status) => void (this.worker = { ...this.worker, status }),
      onApplied: (_, action) => void this.applied.push(action),
      ...given,
    };
    return passOverWorker(reconciler, this.worker, host, new AbortController().signal);
  }

  private watch(): void {
    const { deployments } = this.world;
    const found = this.server.deployment(this.worker);
    if (!this.isWatchBehind && found?.metadata.labels?.[WORKER_LABEL] !== undefined) deployments.set(found);
    else deployments.delete(keyOf(this.worker));
  }

  condition(type: string) {
    return this.worker.status.conditions?.find((one) => one.type === type);
  }
}
