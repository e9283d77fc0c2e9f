import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { until } from '../cluster/poll.ts';
import { cuttableWayTo, type CuttableWay } from '../integration/operator/proxy.ts';
import { conditionOf, type Runs } from '../integration/operator/runs.ts';
import { openScene, type Scene } from '../integration/operator/scene.ts';

jest.setTimeout(300_000);
let scene: Scene;
let runs: Runs;
let way: CuttableWay;

beforeAll(async () => {
  scene = await openScene('away');
  ({ runs } = scene);
  way = await cuttableWayTo(scene.shared.temporalAddress);
  await runs.connect(scene.temporalNamespace, 'cuttable', { address: way.address });
}, 180_000);

afterAll(async () => {
  await scene.close();
  await way.close();
});

const cuttable = { connectionRef: { name: 'cuttable' } };
/** An outage is noticed within 20 s, not worth a word on runs for 30 s, and then told of over 60 s. */
const TOLD_MS = 120_000;

it('a Temporal that is away is told of on connection and run, is no failure of the run, and is forgotten when it is back', async () => {
  for (const name of ['ends-meanwhile', 'goes-on']) await runs.apply(name, { type: 'WaitSignalWorkflow' }, cuttable);
  for (const name of ['ends-meanwhile', 'goes-on']) await runs.untilStarted(name);
  way.cut();
  const cutAt = Date.now();
  await scene.chains.signal(runs.workflowID('ends-meanwhile'), 'finish', 'meanwhile');

  const away = { type: 'Ready', status: 'False', reason: 'TemporalUnavailable' };
  const connection = await runs.untilConnection('cuttable', away, 40_000);
  expect(conditionOf(connection, 'Ready')?.message).toMatch(/Temporal is unavailable/);
  expect(conditionOf(connection, 'Reconciling')?.status).toBe('True');
  const unreachable = { type: 'TemporalReachable', status: 'False', reason: 'TemporalUnavailable' };
  for (const name of ['ends-meanwhile', 'goes-on']) {
    const run = await runs.until(name, unreachable, TOLD_MS);
    expect(conditionOf(run, 'TemporalReachable')?.message).toMatch(/Temporal does not answer.*may be stale/);
    expect(run.status.phase).toBe('Running');
    expect(conditionOf(run, 'Finished')?.status).toBe('False');
    expect(conditionOf(run, 'Ready')).toMatchObject({ status: 'True', reason: 'Started' });
  }
  expect(Date.now() - cutAt).toBeGreaterThan(30_000);

  await runs.apply('started-later', { type: 'EchoWorkflow', args: [1] }, cuttable);
  await runs.until('started-later', { type: 'Ready', status: 'False', reason: 'TemporalUnavailable' });
  way.mend();
  await runs.untilConnection('cuttable', { type: 'Ready', status: 'True' }, 30_000);
  expect((await runs.untilFinished('ends-meanwhile')).status.result).toBe('meanwhile');
  await runs.untilFinished('started-later', 'Succeeded', 60_000);
  await until('the word of the outage to be taken back', 30_000, async () => {
    return conditionOf(await runs.get('goes-on'), 'TemporalReachable') === undefined;
  });
  await runs.untilStarted('goes-on');
  expect(scene.operator.isRunning()).toBe(true);
});

it('an outage shorter than half a minute is not worth a write', async () => {
  await runs.apply('unmoved', { type: 'WaitSignalWorkflow' }, cuttable);
  await runs.untilStarted('unmoved');
  way.cut();
  await runs.untilConnection('cuttable', { type: 'Ready', status: 'False' }, 40_000);
  way.mend();
  await runs.untilConnection('cuttable', { type: 'Ready', status: 'True' }, 30_000);
  await scene.chains.signal(runs.workflowID('unmoved'), 'finish', null);
  await runs.untilFinished('unmoved');
  // The create, the finalizer, the start, the end, the finalizer off.
  expect(await runs.writes('unmoved')).toBeLessThanOrEqual(5);
});
