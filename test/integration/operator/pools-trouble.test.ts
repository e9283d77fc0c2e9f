import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { until } from '../../cluster/poll.ts';
import { applyCrds, cluster, freshNamespace, freshTemporalNamespace } from '../../cluster/shared.ts';
import { Pools, type PoolPod } from './pools.ts';
import { startOperator, type OperatorProcess } from './process.ts';
import { Runs } from './runs.ts';

jest.setTimeout(180_000);
let shared: LocalCluster;
let operator: OperatorProcess;
let runs: Runs;
let pools: Pools;

beforeAll(async () => {
  shared = await cluster();
  await applyCrds(shared);
  const namespace = await freshNamespace(shared, 'trouble');
  runs = new Runs(shared, namespace);
  pools = new Pools(shared, namespace);
  await pools.prepare();
  operator = await startOperator(shared, namespace);
  await runs.connect(await freshTemporalNamespace(shared, 'trouble'));
}, 180_000);

// The node has few GPUs, and other tests need them: also where a pool of this one is stuck.
afterAll(async () => {
  await shared.api.call(pools.path('workers'), { method: 'DELETE' });
  await operator.kill('SIGTERM');
});

const succeeded = { type: 'Succeeded', status: 'True' };
const podNames = async (pool: string) => (await pools.pods(pool)).map(({ metadata }) => metadata.name);

/** The template of that pool with some fields of its container replaced. */
async function templateWith(pool: string, fields: object) {
  const { spec } = await pools.get(pool);
  const [container] = spec.template.spec.containers;
  return { template: { spec: { containers: [{ ...container, ...fields }] } } };
}

it('a pool whose Deployment lost its label is followed again', async () => {
  await pools.apply('bare');
  await pools.until('bare', { type: 'Ready', status: 'True' });
  const labels = { 'aiworkflow.dev/worker': null };
  await shared.api.call(pools.appsPath('bare'), { method: 'PATCH', body: { metadata: { labels } } });
  await until('the label to be back', 30_000, async () => {
    return (await pools.deployment('bare')).metadata.labels?.['aiworkflow.dev/worker'] === 'bare';
  });
  await runs.apply('after', { type: 'AIWorkflow', args: ['x'], taskQueue: undefined, workerRef: { name: 'bare' } });
  await runs.until('after', succeeded, 60_000);
});

describe('a healthy pool', () => {
  it('does the work of its queue when the pool that comes first has an image that nobody has', async () => {
    const spec = { taskQueue: 'shared-by-two' };
    await pools.apply('a-broken', { spec });
    await pools.change('a-broken', await templateWith('a-broken', { image: 'localhost/none:1' }));
    await pools.apply('b-healthy', { spec });
    for (const name of ['a-broken', 'b-healthy']) await pools.until(name, { type: 'Accepted', status: 'True' });
    await runs.apply('served', { type: 'AIWorkflow', args: ['x'], taskQueue: 'shared-by-two' });
    await runs.until('served', succeeded, 60_000);
    expect(await podNames('b-healthy')).toHaveLength(1);
  });
});

describe('an idle pool', () => {
  it('goes to zero although its new template never comes up', async () => {
    await pools.apply('stuck', { scaling: { max: 1 } });
    await runs.apply('last', { type: 'SleepWorkflow', args: [8], taskQueue: undefined, workerRef: { name: 'stuck' } });
    await until('its pod', 30_000, async () => (await podNames('stuck')).length === 1);
    await pools.change('stuck', await templateWith('stuck', { image: 'localhost/none:1' }));
    await until('the pod of the new template', 30_000, async () => (await podNames('stuck')).length === 2);
    const { status } = await runs.until('last', succeeded, 60_000);
    expect(status.result).toBe('attempt 1');
    await pools.untilReplicas('stuck', 0);
  });

  it('gives up the pod that never becomes ready, and keeps the one that works', async () => {
    const path = `/api/v1/namespaces/${pools.namespace}/configmaps`;
    await shared.api.call(path, { method: 'POST', body: { metadata: { name: 'model' }, data: { name: 'm' } } });
    const model = { name: 'MODEL', valueFrom: { configMapKeyRef: { name: 'model', key: 'name' } } };
    await pools.apply('half', { scaling: { mode: 'Fixed' }, spec: { replicas: 1, ...(await besides(model)) } });
    await pools.until('half', { type: 'Available', status: 'True' });
    const [first] = await podNames('half');
    // What a worker needs to start is gone now; what runs beside it starts all the same.
    await shared.api.call(`${path}/model`, { method: 'DELETE' });
    await pools.change('half', { replicas: 2 });
    await until('a pod whose sidecar alone runs', 60_000, async () => (await pools.pods('half')).some(isHalfUp));
    await pools.change('half', { replicas: 1 });
    await pools.untilReplicas('half', 1);
    await until('one pod', 30_000, async () => (await podNames('half')).length === 1);
    expect(await podNames('half')).toEqual([first]);
  });
});

/** A template whose worker gets that variable, and has a sidecar beside it. */
async function besides(variable: object) {
  const { spec } = await pools.get('bare');
  const [container] = spec.template.spec.containers;
  const beat = { name: 'AIWORKFLOW_HEARTBEAT_SECONDS', value: '1' };
  const worker = { ...container, env: [beat, variable] };
  const sidecar = { name: 'sidecar', image: container?.['image'], command: ['sleep', '3600'] };
  return { template: { ...spec.template, spec: { containers: [worker, sidecar] } } };
}

function isHalfUp({ status }: PoolPod): boolean {
  const running = status?.containerStatuses?.filter(({ state }) => state?.running !== undefined) ?? [];
  return running.length === 1 && running[0]?.name === 'sidecar';
}
