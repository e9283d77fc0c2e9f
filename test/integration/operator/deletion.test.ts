import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../../cluster/poll.ts';
import { cuttableWayTo, type CuttableWay } from './proxy.ts';
import { conditionOf, type Runs } from './runs.ts';
import { openScene, type Scene } from './scene.ts';

jest.setTimeout(120_000);
let scene: Scene;
let runs: Runs;
let way: CuttableWay;

beforeAll(async () => {
  scene = await openScene('deletion');
  ({ runs } = scene);
  way = await cuttableWayTo(scene.shared.temporalAddress);
  await runs.connect(scene.temporalNamespace, 'cuttable', { address: way.address });
}, 180_000);

afterAll(async () => {
  await scene.close();
  await way.close();
});

/** Starts a run, deletes its resource, and returns how the run stands once the resource is gone. */
async function afterDeletion(name: string, type: string, spec: object = {}, args: readonly unknown[] = []) {
  await runs.apply(name, { type, args }, { ...spec });
  await runs.untilStarted(name);
  const deletedAt = Date.now();
  await runs.delete(name);
  await runs.untilGone(name);
  return { status: await scene.chains.statusOf(runs.workflowID(name)), ms: Date.now() - deletedAt };
}

describe('deleting the resource of a live run', () => {
  it.each([
    ['Cancel', 'CANCELED'],
    ['Terminate', 'TERMINATED'],
    ['Abandon', 'RUNNING'],
  ])('does to it what deletionPolicy says: %s', async (deletionPolicy, status) => {
    const name = `policy-${deletionPolicy.toLowerCase()}`;
    expect(await afterDeletion(name, 'WaitSignalWorkflow', { deletionPolicy })).toMatchObject({ status });
  });

  it('follows a policy that was changed while it ran', async () => {
    await runs.apply('changed', { type: 'DeafWorkflow' });
    await runs.untilStarted('changed');
    const body = { spec: { deletionPolicy: 'Terminate' } };
    await scene.shared.api.call(runs.path('aiworkflows', 'changed'), { method: 'PATCH', body });
    await runs.delete('changed');
    await runs.untilGone('changed', 10_000);
    expect(await scene.chains.statusOf(runs.workflowID('changed'))).toBe('TERMINATED');
  });

  it('lets it clean up before it is canceled', async () => {
    const { status, ms } = await afterDeletion('clean', 'CleanupWorkflow', {}, [3]);
    expect(status).toBe('CANCELED');
    expect(ms).toBeGreaterThanOrEqual(3_000);
  });

  it('terminates it after deletionTimeout where it ignores cancellation', async () => {
    const { status, ms } = await afterDeletion('deaf', 'DeafWorkflow', { deletionTimeout: '4s' });
    expect(status).toBe('TERMINATED');
    // The API server counts the time of a deletion in whole seconds.
    expect(ms).toBeGreaterThan(3_000);
  });

  it('ends the whole chain of one that keeps continuing as new', async () => {
    const { status } = await afterDeletion('chain', 'ContinueAsNewWorkflow', {}, [1_000, 0.5]);
    expect(status).toBe('CANCELED');
    expect(await scene.chains.of(runs.workflowID('chain'))).toHaveLength(1);
  });

  it('says what it waits for while the run cleans up', async () => {
    await runs.apply('waiting', { type: 'DeafWorkflow' }, { deletionTimeout: '5s' });
    await runs.untilStarted('waiting');
    await runs.delete('waiting');
    const run = await runs.until('waiting', { type: 'Ready', status: 'False', reason: 'Deleting' });
    expect(conditionOf(run, 'Ready')?.message).toMatch(/terminated after spec.delet/);
    await runs.untilGone('waiting');
  });
});

it('a resource whose run has ended goes at once', async () => {
  await runs.apply('ended', { type: 'EchoWorkflow' });
  await runs.untilFinished('ended');
  await until('the finalizer to be off', 10_000, async () => !(await runs.get('ended')).metadata.finalizers?.length);
  await runs.delete('ended');
  await runs.untilGone('ended', 1_000);
});

it('a resource that was never started goes at once, Temporal or no Temporal', async () => {
  await runs.apply('nowhere', { type: 'EchoWorkflow' }, { connectionRef: { name: 'nowhere' } });
  await runs.until('nowhere', { type: 'Accepted', status: 'False', reason: 'ConnectionNotFound' });
  await runs.delete('nowhere');
  await runs.untilGone('nowhere', 1_000);
});

it('while Temporal is away the deletion waits, and says so; once it is back the run is canceled', async () => {
  await runs.apply('away', { type: 'WaitSignalWorkflow' }, { connectionRef: { name: 'cuttable' } });
  await runs.untilStarted('away');
  way.cut();
  await runs.delete('away');
  const run = await runs.until('away', { type: 'Ready', status: 'False', reason: 'Deleting' });
  expect(run.status.phase).toBe('Running');
  expect(conditionOf(run, 'Ready')?.message).toMatch(/Temporal is unavailable/);
  way.mend();
  await runs.untilGone('away', 60_000);
  expect(await scene.chains.statusOf(runs.workflowID('away'))).toBe('CANCELED');
});
