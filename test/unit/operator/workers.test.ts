import { describe, expect, it } from '@jest/globals';
import { ConnectionDirectory } from '../../../src/controllers/connection/directory.ts';
import { keyOfConnection } from '../../../src/controllers/connection/observe.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { hidePools } from '../../../src/operator/poolmetrics.ts';
import type { TermWorld } from '../../../src/operator/term.ts';
import { UnionStore } from '../../../src/operator/union.ts';
import { podIndexes, runIndexes, workerIndexes } from '../../../src/operator/indexes.ts';
import { workersPart } from '../../../src/operator/workers.ts';
import type { Log } from '../../../src/runtime/ports.ts';
import { Store } from '../../../src/runtime/store.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { aConnection, aServer } from '../../builders/connection.ts';
import { aTemporal } from '../../builders/temporal.ts';
import { aWorker } from '../../builders/worker.ts';
import type { Worker } from '../../../src/api/worker.ts';

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const worker = aWorker({ spec: { connectionRef: { name: 'temporal' } } });
const key = 'team-a/gpu-pool';

/** The controller of pools in front of an API server that does not answer the creation of a Deployment until it is told to. */
function aPart() {
  const creation = Promise.withResolvers<undefined>();
  const created = Promise.withResolvers<undefined>();
  const kube = {
    find: () => Promise.resolve(undefined),
    create: async () => {
      created.resolve(undefined);
      await creation.promise;
      return {};
    },
    replaceStatus: () => Promise.reject(new Error('it is gone')),
  } as unknown as KubeClient; // all that a pass calls here
  const workers = new Store<Worker>(workerIndexes);
  workers.set(worker);
  const caches = {
    workers: new UnionStore([workers]),
    runs: new UnionStore([new Store(runIndexes)]),
    pods: new UnionStore([new Store(podIndexes)]),
    deployments: new UnionStore([new Store()]),
    namespaces: new UnionStore([new Store()]),
  };
  const metrics = new Metrics();
  const config = { concurrency: 1, workerMetrics: 'on' };
  const world = { kube, caches, metrics, config, log: quiet, record() {} } as unknown as TermWorld; // nothing else is read
  const directory = new ConnectionDirectory();
  const connection = aConnection();
  const listWorkers = () => ({ workersInfo: [] });
  const client = aTemporal({ describeTaskQueue: () => ({ pollers: [] }), listWorkers });
  directory.set(keyOfConnection(connection), { connection, client, server: aServer });
  const part = workersPart(world, directory);
  caches.workers.onChange(part.onWorker);
  return { part, workers, metrics, created: created.promise, answer: () => creation.resolve(undefined) };
}

const figures = async (metrics: Metrics) =>
  (await metrics.page()).split('\n').filter((line) => line.includes('gpu-pool'));

describe('the figures of a pool', () => {
  it('are shown from its first pass on, and hidden when the term is over', async () => {
    const { part, metrics, created, answer } = aPart();
    part.controller.start();
    part.controller.enqueue(key, 'user');
    await created;
    expect(await figures(metrics)).toContain('aiworkflow_worker_replicas{namespace="team-a",worker="gpu-pool"} 0');
    hidePools(metrics);
    expect(await figures(metrics)).toEqual([]);
    answer();
    await part.controller.stop();
  });

  it('do not outlive a Worker that goes during its pass', async () => {
    const { part, workers, metrics, created, answer } = aPart();
    part.controller.start();
    part.controller.enqueue(key, 'user');
    await created;
    workers.delete(key);
    await showAgain(metrics);
    answer();
    await part.controller.stop();
    expect(await figures(metrics)).toEqual([]);
  });
});

/** As the pass does that was under way when the Worker went. */
async function showAgain(metrics: Metrics): Promise<void> {
  metrics.workerReplicas.set({ namespace: 'team-a', worker: 'gpu-pool' }, 1);
  expect(await figures(metrics)).toHaveLength(1);
}
