import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../../cluster/poll.ts';
import { startApiProxy, type ApiProxy, type Passing } from './apiproxy.ts';
import { startOperator } from './process.ts';
import type { Runs } from './runs.ts';
import { openScene, type Scene } from './scene.ts';

// The operator dies after Temporal has started the run and before the resource says so: the narrowest place there is.

jest.setTimeout(180_000);
let scene: Scene;
let runs: Runs;
let proxy: ApiProxy;
const ends = ['closes', 'fails', 'continues', 'continues-and-closes', 'retries', 'goes-on', 'is-attached-to'];

beforeAll(async () => {
  proxy = await startApiProxy();
  scene = await openScene('crash', { operator: { through: (kubeconfig) => proxy.leadThrough(kubeconfig) } });
  ({ runs } = scene);
  await dieBeforeTheStatusIsWritten();
}, 180_000);

afterAll(async () => {
  await scene.close();
  await proxy.close();
});

const isRunsStatus = ({ method, path }: Passing) => method === 'PATCH' && /\/aiworkflows\/[^/]+\/status$/.test(path);

/** Starts all runs, kills the operator when their status writes are on their way, and begins anew when they have moved on. */
async function dieBeforeTheStatusIsWritten(): Promise<void> {
  const held = proxy.hold(isRunsStatus);
  await applyAll();
  const writesStart = (name: string) =>
    held.some(({ path, body }) => path.includes(`/${name}/`) && body.includes('firstRunID'));
  await until('every start to be on its way into a status', 60_000, () => ends.every(writesStart));
  await scene.operator.kill();
  for (const name of ends) expect((await runs.get(name)).status.temporal).toBeUndefined();
  await until('all chains to have moved on', 30_000, haveMovedOn);
  scene.operator = await startOperator(scene.shared, runs.namespace);
}

async function applyAll(): Promise<void> {
  const retry = { maximumAttempts: 2, initialInterval: '1s' };
  const input = ['--input', 'null'];
  await scene.temporal(
    'workflow',
    'start',
    '--type',
    'WaitSignalWorkflow',
    '--task-queue',
    'queue',
    '--workflow-id',
    'theirs',
    ...input,
  );
  await runs.apply('closes', { type: 'AIWorkflow', args: ['closed'] });
  await runs.apply('fails', { type: 'FailingWorkflow' });
  await runs.apply('continues', { type: 'ContinueAsNewWorkflow', args: [8, 1] });
  await runs.apply('continues-and-closes', { type: 'ContinueAsNewWorkflow', args: [1] });
  await runs.apply('retries', { type: 'FlakyWorkflow' }, { retry });
  await runs.apply('goes-on', { type: 'WaitSignalWorkflow' });
  const attach = { workflowID: 'theirs', idConflictPolicy: 'UseExisting' };
  await runs.apply('is-attached-to', { type: 'WaitSignalWorkflow' }, attach);
}

async function haveMovedOn(): Promise<boolean> {
  const stands = async (name: string, status: string) =>
    (await scene.chains.statusOf(runs.workflowID(name))) === status;
  const closed = await Promise.all([
    ...['closes', 'continues-and-closes', 'retries'].map((name) => stands(name, 'COMPLETED')),
    stands('fails', 'FAILED'),
  ]);
  return closed.every(Boolean) && (await scene.chains.runsOf(runs.workflowID('continues'))).length > 1;
}

describe('a run whose operator died before it could write that it had started it', () => {
  it.each([
    ['closes', 'Succeeded', 'Inference result for: closed', 1],
    ['fails', 'Failed', undefined, 1],
    ['continues', 'Succeeded', 'chain of 9', 9],
    ['continues-and-closes', 'Succeeded', 'chain of 2', 2],
    ['retries', 'Succeeded', 'attempt 2', 2],
  ])('and which %s meanwhile is one chain, and its outcome shown', async (name, reason, result, count) => {
    const { status } = await runs.untilFinished(name, reason, 60_000);
    expect(status.result).toBe(result);
    expect(await scene.chains.of(runs.workflowID(name))).toEqual([status.temporal?.firstRunID]);
    expect(await scene.chains.runsOf(runs.workflowID(name))).toHaveLength(count);
  });

  it.each([
    ['goes-on', undefined],
    ['is-attached-to', 'theirs'],
  ])('and which %s meanwhile is one chain, and is followed to its end', async (name, id) => {
    const workflowID = id ?? runs.workflowID(name);
    const { status } = await runs.untilStarted(name);
    await scene.chains.signal(workflowID, 'finish', 'after all');
    expect((await runs.untilFinished(name)).status.result).toBe('after all');
    expect(await scene.chains.of(workflowID)).toEqual([status.temporal?.firstRunID]);
  });

  it('says so no later than ten seconds after the next operator leads', async () => {
    const led = Date.parse(/"timestamp":"([^"]+)"/.exec(scene.operator.output())?.[1] ?? '');
    for (const name of ['closes', 'fails', 'continues-and-closes', 'retries']) {
      const { status } = await runs.get(name);
      const finished = status.conditions?.find(({ type }) => type === 'Finished');
      expect(Date.parse(finished?.lastTransitionTime ?? '') - led).toBeLessThan(10_000);
    }
  });
});
