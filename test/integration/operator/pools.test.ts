import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { until } from '../../cluster/poll.ts';
import { applyCrds, cluster, freshNamespace, freshTemporalNamespace } from '../../cluster/shared.ts';
import { Pools } from './pools.ts';
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
  const namespace = await freshNamespace(shared, 'pools');
  runs = new Runs(shared, namespace);
  pools = new Pools(shared, namespace);
  await pools.prepare();
  operator = await startOperator(shared, namespace);
  await runs.connect(await freshTemporalNamespace(shared, 'pools'));
}, 180_000);

afterAll(() => operator.kill('SIGTERM'));

const succeeded = { type: 'Succeeded', status: 'True' };
const running = { type: 'Ready', status: 'True', reason: 'Started' };
const apply = (name: string, worker: string, type: string, args: readonly unknown[] = []) =>
  runs.apply(name, { type, args, taskQueue: undefined, workerRef: { name: worker } });

/** Returns once that many activities of the run have been started, and how many attempts that took. */
async function untilStarted(name: string): Promise<void> {
  const { status } = await runs.until(name, running);
  const { workflowID = '', namespace = '' } = status.temporal ?? {};
  await until(`an activity of ${name} to be started`, 60_000, async () => {
    const text = await shared.temporal(['workflow', 'describe', '-n', namespace, '-w', workflowID, '-o', 'json']);
    const { pendingActivities = [] } = JSON.parse(text) as { pendingActivities?: { state: string }[] };
    return pendingActivities.some(({ state }) => state.endsWith('STARTED'));
  });
}

describe('a pool', () => {
  it('sleeps at 0, is woken by a run that names it, serves it with a GPU, and sleeps again', async () => {
    await pools.apply('sleeper');
    const { status } = await pools.until('sleeper', { type: 'Ready', status: 'True' });
    expect(status).toMatchObject({ ready: '0/0', gpus: { perPod: 1, requested: 0 }, scaleReason: expect.any(String) });
    const record = pools.recordReplicas('sleeper');
    await apply('hello', 'sleeper', 'AIWorkflow', ['hi']);
    const pod = await until('a pod', 30_000, async () => (await pools.pods('sleeper'))[0]);
    const run = await runs.until('hello', succeeded, 60_000);
    expect(run.status.result).toBe('Inference result for: hi');
    expect(pod.spec.containers[0]?.resources?.limits).toMatchObject({ 'nvidia.com/gpu': '1' });
    const replicas = `aiworkflow_worker_replicas{namespace="${pools.namespace}",worker="sleeper"}`;
    expect(await operator.metric(replicas)).toBe(1);
    await pools.untilReplicas('sleeper', 0);
    record.stop();
    expect(record.replicas).toEqual([0, 1, 0]);
    const name = { namespace: pools.namespace, name: pod.metadata.name };
    await until('the pod to have drained', 30_000, async () =>
      /SIGTERM: no new tasks[^]*Stopped by SIGTERM/.test(await shared.podLogs(name)),
    );
  });

  it('is woken by tasks that wait, whoever put them there', async () => {
    await pools.apply('queue-only');
    await pools.until('queue-only', { type: 'Ready', status: 'True' });
    await runs.apply('anonymous', { type: 'AIWorkflow', args: ['x'], taskQueue: 'queue-only' });
    await runs.until('anonymous', succeeded, 60_000);
  });

  it('holds no pod while its run waits on a timer, and wakes when the timer fires', async () => {
    await pools.apply('timed', { scaling: { scaleDownDelay: '1s' } });
    await apply('timer', 'timed', 'TimerWorkflow', [45]);
    await pools.untilReplicas('timed', 1);
    await pools.untilReplicas('timed', 0);
    expect((await runs.get('timer')).status.phase).toBe('Running');
    expect(await operator.metric('aiworkflow_tracked_runs')).toBe(1);
    await runs.until('timer', succeeded, 90_000);
  });

  it('never ends a pod that works: when it shrinks, the idle ones go', async () => {
    await pools.apply('busy', { scaling: { scaleDownDelay: '1s' } });
    const long = ['long-0', 'long-1'];
    const short = ['short-0', 'short-1'];
    for (const name of [...long, ...short]) await apply(name, 'busy', 'SleepWorkflow', [long.includes(name) ? 40 : 8]);
    await pools.untilReplicas('busy', 4);
    for (const name of short) await runs.until(name, succeeded, 60_000);
    await pools.untilReplicas('busy', 2);
    for (const name of [...long, ...short]) {
      const { status } = await runs.until(name, succeeded, 90_000);
      expect([name, status.result]).toEqual([name, 'attempt 1']);
    }
    await pools.untilReplicas('busy', 0);
  });

  it('whose pod is killed in the middle of an activity has it tried again, and the run succeeds', async () => {
    await pools.apply('fragile', { scaling: { max: 1 } });
    await apply('retried', 'fragile', 'SleepWorkflow', [8]);
    await untilStarted('retried');
    const [pod] = await pools.pods('fragile');
    await pools.kill(pod!.metadata.name);
    const { status } = await runs.until('retried', succeeded, 90_000);
    expect(status.result).toBe('attempt 2');
  });

  it('goes with its Worker, and its pods with it', async () => {
    await pools.apply('leaver', { scaling: { min: 1 } });
    await until('a pod', 30_000, async () => (await pools.pods('leaver')).length === 1);
    await shared.api.call(pools.path('workers', 'leaver'), { method: 'DELETE' });
    await until('its pods to be gone', 60_000, async () => (await pools.pods('leaver')).length === 0);
    await expect(pools.deployment('leaver')).rejects.toMatchObject({ status: 404 });
  });
});

describe('the Deployment of a pool', () => {
  it('of somebody else is left alone', async () => {
    const labels = { app: 'theirs' };
    const spec = {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'theirs:1' }] } },
    };
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'taken' }, spec };
    await shared.api.call(pools.appsPath(), { method: 'POST', body });
    const before = await pools.deployment('taken');
    await pools.apply('taken');
    await pools.until('taken', { type: 'Ready', status: 'False', reason: 'NameTaken' });
    expect((await pools.get('taken')).status.conditions).toContainEqual(
      expect.objectContaining({ type: 'Stalled', status: 'True', reason: 'NameTaken' }),
    );
    expect((await pools.deployment('taken')).spec).toEqual(before.spec);
    await shared.api.call(pools.appsPath('taken'), { method: 'DELETE' });
    await pools.until('taken', { type: 'Ready', status: 'True' }, 90_000);
  });

  it('follows the template; one that the API server rejects is said, and mended', async () => {
    await pools.apply('template', { scaling: { min: 1, max: 1 }, env: { COLOUR: 'red' } });
    await pools.until('template', { type: 'Ready', status: 'True' });
    const [before] = await pools.pods('template');
    const worker = await pools.get('template');
    const [container] = worker.spec.template.spec.containers;
    const withImage = (image: unknown) => ({ template: { spec: { containers: [{ ...container, image }] } } });
    await pools.change('template', withImage(5));
    const { status } = await pools.until('template', { type: 'Stalled', status: 'True', reason: 'TemplateRejected' });
    const scaling = expect.objectContaining({ type: 'ScalingActive', status: 'True' });
    expect(status.conditions).toContainEqual(scaling);
    expect((await pools.pods('template')).map(({ metadata }) => metadata.name)).toEqual([before?.metadata.name]);
    const env = [{ name: 'AIWORKFLOW_HEARTBEAT_SECONDS', value: '1' }];
    await pools.change('template', { template: { spec: { containers: [{ ...container, env }] } } });
    await pools.until('template', { type: 'Ready', status: 'True' });
    await until('the old pod to be replaced', 60_000, async () => {
      const pods = await pools.pods('template');
      return pods.length === 1 && pods[0]?.metadata.name !== before?.metadata.name;
    });
    // What was taken out of the template has left the Deployment, too.
    expect(JSON.stringify((await pools.deployment('template')).spec.template)).not.toContain('COLOUR');
  });

  it('has the size that spec.replicas says outside of Backlog, and keeps its size when the mode changes', async () => {
    const scale = { spec: { replicas: 2 } };
    await pools.apply('manual', { scaling: { min: 1 } });
    await pools.untilReplicas('manual', 1);
    const path = `${pools.path('workers', 'manual')}/scale`;
    const refused = shared.api.call(path, { method: 'PATCH', body: scale });
    await expect(refused).rejects.toThrow(/in scaling.mode Backlog the operator decides the replicas/);
    await pools.change('manual', { scaling: { mode: 'External' }, replicas: 1 });
    await shared.api.call(path, { method: 'PATCH', body: scale });
    await pools.untilReplicas('manual', 2);
    await shared.api.call(path, { method: 'PATCH', body: { spec: { replicas: 0 } } });
    await pools.untilReplicas('manual', 0);
  });
});
