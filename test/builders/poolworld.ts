import { keyOf, type KubeObject } from '../../src/api/resource.ts';
import type { Connection } from '../../src/api/connection.ts';
import type { AIWorkflow } from '../../src/api/aiworkflow.ts';
import type { Worker } from '../../src/api/worker.ts';
import { ConnectionDirectory, type ConnectionEntry } from '../../src/controllers/connection/directory.ts';
import { keyOfConnection } from '../../src/controllers/connection/observe.ts';
import type { WorkerWorld } from '../../src/controllers/worker/observe.ts';
import { PoolMemory } from '../../src/controllers/worker/poolmemory.ts';
import type { Deployment, KubeCondition, Pod } from '../../src/kube/types.ts';
import { podIndexes, runIndexes, workerIndexes } from '../../src/operator/indexes.ts';
import { Store, type Indexes } from '../../src/runtime/store.ts';
import type { QueueFigures } from '../../src/temporal/queues.ts';
import { aServer } from './connection.ts';
import { aTemporal, type Answers } from './temporal.ts';
import { NOW_MS } from './worker.ts';

/** What the world of a test holds; all else is empty. */
export interface Held {
  readonly connection: Connection;
  /** How the connection fares, where it is not simply good. */
  readonly entry?: Partial<ConnectionEntry>;
  readonly workers?: readonly Worker[];
  readonly deployments?: readonly Deployment[];
  readonly pods?: readonly Pod[];
  readonly runs?: readonly AIWorkflow[];
  /** Activity tasks that wait, on every queue; or what reading a queue throws. */
  readonly waiting?: number | Error;
  readonly temporal?: Answers;
  /** What the API server has of objects that are looked up one by one. */
  readonly find?: (plural: string) => KubeObject | undefined;
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What `aPoolWorld` makes: its clock can be moved, and what the watch shows be changed. */
export interface PoolWorld extends WorkerWorld {
  nowMs: number;
  readonly deployments: Store<Deployment>;
}

/** A world for observing Workers in: real stores and a real directory, in front of servers that only say what the test says. */
export function aPoolWorld(held: Held): PoolWorld {
  const connections = new ConnectionDirectory();
  const client = aTemporal(held.temporal ?? {});
  const entry = { connection: held.connection, client, server: aServer, ...held.entry };
  connections.set(keyOfConnection(held.connection), entry);
  const world = {
    nowMs: NOW_MS,
    kube: { find: (kind: { plural: string }) => Promise.resolve(held.find?.(kind.plural)) } as WorkerWorld['kube'],
    workers: stored(held.workers, workerIndexes),
    runs: stored(held.runs, runIndexes),
    deployments: stored(held.deployments, {}),
    pods: stored(held.pods, podIndexes),
    connections,
    readerOf: () => readerOf(held.waiting ?? 0),
    labelsOf: (namespace: string) => Promise.resolve(held.labels?.[namespace] ?? {}),
    memory: new PoolMemory(),
    now: () => new Date(world.nowMs),
  };
  return world;
}

function stored<T extends KubeObject>(objects: readonly T[] = [], indexes: Indexes<T>): Store<T> {
  const store = new Store<T>(indexes);
  for (const object of objects) store.set(object);
  return store;
}

const nothing: QueueFigures = { backlog: 0, ageSeconds: 0, addRatePerSecond: 0, dispatchRatePerSecond: 0 };

function readerOf(waiting: number | Error): ReturnType<WorkerWorld['readerOf']> {
  const read = () => {
    if (waiting instanceof Error) return Promise.reject(waiting);
    const activities = { ...nothing, backlog: waiting };
    return Promise.resolve({ activities, workflows: nothing, pollers: [], isRateLimited: false, readAtMs: NOW_MS });
  };
  return { read, workers: () => Promise.resolve({ beats: [], readAtMs: NOW_MS }) };
}

/** The Deployment of a Worker, with as many replicas; `conditions`: what its controller says. */
export function aDeployment(
  worker: Worker,
  replicas: number,
  { conditions, ownerUid = worker.metadata.uid }: { conditions?: readonly KubeCondition[]; ownerUid?: string } = {},
): Deployment {
  const { name, namespace = '' } = worker.metadata;
  const owner = { apiVersion: 'aiworkflow.dev/v1alpha1', kind: 'Worker', name, uid: ownerUid, controller: true };
  return {
    metadata: {
      ...{ name, namespace, uid: `d-of-${keyOf(worker)}`, resourceVersion: '1' },
      labels: { 'aiworkflow.dev/worker': name },
      ownerReferences: [owner],
    },
    spec: { replicas, selector: {}, template: {} },
    ...(conditions && { status: { conditions } }),
  };
}

/** A pod of a Worker as the API server has it: scheduled and running unless `status` says something else. */
export function aKubePod(worker: Worker, name: string, status: NonNullable<Pod['status']> = {}): Pod {
  const { name: pool, namespace = '' } = worker.metadata;
  const running = { name: 'worker', ready: true, restartCount: 0, state: { running: {} } };
  return {
    metadata: { name, namespace, uid: `u-${name}`, resourceVersion: '1', labels: { 'aiworkflow.dev/worker': pool } },
    spec: {},
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [running],
      ...status,
    },
  };
}
