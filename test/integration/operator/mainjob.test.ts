import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../../cluster/poll.ts';
import { startOperator } from './process.ts';
import type { Runs } from './runs.ts';
import { openScene, type Scene } from './scene.ts';

jest.setTimeout(180_000);
let scene: Scene;
let runs: Runs;

beforeAll(async () => {
  scene = await openScene('runs');
  ({ runs } = scene);
}, 180_000);

afterAll(() => scene.close());

describe('a run', () => {
  it('is started, succeeds, and shows its result after at most five writes', async () => {
    await runs.apply('hello', { type: 'AIWorkflow', args: ['Your AI prompt here'] });
    const { status } = await runs.untilFinished('hello');
    expect(status).toMatchObject({
      phase: 'Succeeded',
      result: 'Inference result for: Your AI prompt here',
      temporal: { workflowID: runs.workflowID('hello'), namespace: scene.temporalNamespace },
    });
    expect(status.conditions?.find(({ type }) => type === 'Succeeded')?.status).toBe('True');
    await until('the finalizer to be off', 10_000, async () => !(await runs.get('hello')).metadata.finalizers?.length);
    await until('the audit log', 10_000, async () => (await runs.writes('hello')) >= 5);
    expect(await runs.writes('hello')).toBe(5);
  });

  it('whose activity fails on every attempt shows the failure, its attempts and its causes', async () => {
    await runs.apply('failing', { type: 'FailingWorkflow', args: ['the model is broken'] });
    const { status } = await runs.untilFinished('failing', 'Failed');
    expect(status.phase).toBe('Failed');
    expect(status.failure).toMatchObject({ type: 'ValueError', activity: 'always_fail', attempts: 3 });
    expect(JSON.stringify(status.failure)).toContain('the model is broken');
  });

  it('that Temporal terminates, and one that continues as new and ends, show it within ten seconds', async () => {
    await runs.apply('terminated', { type: 'WaitSignalWorkflow' });
    await runs.apply('chain', { type: 'ContinueAsNewWorkflow', args: [3] });
    await runs.untilStarted('terminated');
    const byID = ['--workflow-id', runs.workflowID('terminated')];
    await scene.temporal('workflow', 'terminate', ...byID, '--reason', 'by hand');
    await runs.untilFinished('terminated', 'Terminated', 10_000);
    await runs.untilFinished('chain', 'Succeeded', 20_000);
  });

  it('is canceled when its resource is deleted, and the resource goes when it has ended', async () => {
    await runs.apply('deleted', { type: 'WaitSignalWorkflow' });
    await runs.untilStarted('deleted');
    await runs.delete('deleted');
    await runs.untilGone('deleted');
    expect(await scene.chains.statusOf(runs.workflowID('deleted'))).toBe('CANCELED');
  });

  it('waits for a connection that is missing, says so, and starts when it comes', async () => {
    await runs.apply('early', { type: 'EchoWorkflow', args: [1] }, { connectionRef: { name: 'later' } });
    const { status } = await runs.until('early', { type: 'Accepted', status: 'False', reason: 'ConnectionNotFound' });
    expect(status.temporal?.runID).toBeUndefined();
    await runs.connect(scene.temporalNamespace, 'later');
    await runs.untilFinished('early');
  });
});

it('the operator was denied nothing with the rights of its chart', () => {
  expect(scene.operator.output()).not.toContain('KubernetesForbidden');
});

describe('an operator that is killed', () => {
  it('loses no run and doubles none', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `many-${index}`);
    const applied = (async () => {
      for (const name of names) await runs.apply(name, { type: 'ContinueAsNewWorkflow', args: [2] });
    })();
    for (let kill = 1; kill <= 5; kill += 1) {
      const enough = kill * 6;
      await until(`${enough} runs to be started`, 60_000, async () => {
        const started = (await runs.list()).filter(({ status }) => status?.temporal?.runID !== undefined);
        return started.length >= enough;
      });
      await scene.operator.kill();
      scene.operator = await startOperator(scene.shared, runs.namespace);
    }
    await applied;
    for (const name of names) await runs.untilFinished(name, 'Succeeded', 60_000);
    for (const name of names) {
      const { status } = await runs.get(name);
      expect(await scene.chains.of(runs.workflowID(name))).toEqual([status.temporal?.firstRunID]);
    }
  });
});
