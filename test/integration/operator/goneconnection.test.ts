import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '../../cluster/poll.ts';
import { openScene, type Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => void (scene = await openScene('gone')), 180_000);
afterAll(() => scene.close());

const started = { type: 'Ready', status: 'True', reason: 'Started' };
const statusOf = (name: string) =>
  scene.temporal(...['workflow', 'describe', '--workflow-id', scene.runs.workflowID(name)]);

it('a run whose connection is deleted before it is canceled all the same, and the connection then forgotten', async () => {
  const { runs } = scene;
  await runs.connect(scene.temporalNamespace, 'leaving');
  await runs.apply('orphan', { type: 'WaitSignalWorkflow' }, { connectionRef: { name: 'leaving' } });
  await runs.until('orphan', started);
  await runs.delete('leaving', 'temporalconnections');
  await runs.delete('orphan');
  await runs.untilGone('orphan');
  expect(await statusOf('orphan')).toMatch(/CANCELED/i);
  await until('its figures to go', 20_000, async () => {
    return (
      (await scene.operator.metric(
        `aiworkflow_tracked_runs{connection="TemporalConnection/${runs.namespace}/leaving"`,
      )) === 0
    );
  });
});

it('a run goes on through its connection when the Worker that named it is deleted', async () => {
  const { runs } = scene;
  await runs.connect(scene.temporalNamespace, 'of-worker');
  await runs.create('workers', 'Worker', 'fleeting', {
    taskQueue: 'queue',
    connectionRef: { name: 'of-worker' },
    template: { spec: { containers: [{ name: 'worker', image: 'none:1' }] } },
  });
  await runs.apply('survivor', { type: 'WaitSignalWorkflow', taskQueue: undefined, workerRef: { name: 'fleeting' } });
  await runs.until('survivor', started);
  await runs.delete('fleeting', 'workers');
  await scene.temporal('workflow', 'signal', '--workflow-id', runs.workflowID('survivor'), '--name', 'finish');
  const { status } = await runs.until('survivor', { type: 'Succeeded', status: 'True' });
  expect(status.temporal?.connectionRef).toEqual({ kind: 'TemporalConnection', name: 'of-worker' });
});

it('a live run is not taken for ended where its connection is made to lead to another Temporal namespace', async () => {
  const { runs } = scene;
  await runs.connect(scene.temporalNamespace, 'moved');
  await runs.apply('stays', { type: 'WaitSignalWorkflow' }, { connectionRef: { name: 'moved' } });
  await runs.until('stays', started);
  await runs.delete('moved', 'temporalconnections');
  await runs.connect('default', 'moved');
  await runs.delete('stays');
  const { status } = await runs.until('stays', { type: 'Ready', status: 'False', reason: 'Deleting' });
  expect(status.conditions?.find(({ type }) => type === 'Ready')?.message).toMatch(/the connection leads to/);
  expect(await statusOf('stays')).toMatch(/CancelRequested\s+false/);
  await runs.delete('moved', 'temporalconnections');
  await runs.connect(scene.temporalNamespace, 'moved');
  await runs.untilGone('stays');
  expect(await statusOf('stays')).toMatch(/CANCELED/i);
});
