import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { LocalCluster } from '../cluster/cluster.ts';
import { launch } from '../cluster/launch.ts';
import { until } from '../cluster/poll.ts';
import { inWords, toStderr } from '../cluster/progress.ts';
import { freshNamespace } from '../cluster/shared.ts';
import { Runs } from '../integration/operator/runs.ts';
import { openScene, type Scene } from '../integration/operator/scene.ts';

// An operator for all namespaces, as the chart installs it by default: on a cluster of its own, for on a shared one it
// would serve the namespaces of all other tests. Its Temporal is killed here, too.

jest.setTimeout(240_000);
let own: LocalCluster;
let scene: Scene;
/** Of tenants that the shared connection allows: one by name, one by label. */
let byName: Runs;
let byLabel: Runs;

beforeAll(async () => {
  own = await launch();
  scene = await openScene('operator', { on: own, operator: { serves: 'all' } });
  byName = await tenant('by-name');
  byLabel = await tenant('by-label');
  await own.kubectl(['label', 'namespace', byLabel.namespace, 'team=b']);
  const allowedNamespaces = { names: [byName.namespace], selector: { matchLabels: { team: 'b' } } };
  const spec = { address: own.temporalAddress, namespace: scene.temporalNamespace, allowedNamespaces };
  const body = {
    ...{ apiVersion: 'aiworkflow.dev/v1alpha1', kind: 'ClusterTemporalConnection' },
    ...{ metadata: { name: 'shared' }, spec },
  };
  await own.api.call('/apis/aiworkflow.dev/v1alpha1/clustertemporalconnections', { method: 'POST', body });
}, 300_000);

afterAll(async () => {
  await scene.close();
  await own.remove();
});

const tenant = async (prefix: string) => new Runs(own, await freshNamespace(own, prefix), scene.runs.namespace);
const shared = { connectionRef: { kind: 'ClusterTemporalConnection', name: 'shared' } };
const waiting = { type: 'WaitSignalWorkflow' };
const forbidden = { type: 'Accepted', status: 'False', reason: 'WorkflowIDForbidden' };
const taken = { type: 'Ready', status: 'False', reason: 'WorkflowIDTaken' };

async function startByHand(workflowID: string, type: string): Promise<void> {
  const what = ['--type', type, '--task-queue', 'queue', '--workflow-id', workflowID, '--input', '"by hand"'];
  await scene.temporal('workflow', 'start', ...what);
}

describe('through a ClusterTemporalConnection', () => {
  it('runs of the namespaces that it allows are started, and of no others', async () => {
    const stranger = await tenant('stranger');
    for (const runs of [byName, byLabel]) {
      await runs.apply('allowed', { type: 'EchoWorkflow', args: [1] }, shared);
      await runs.untilFinished('allowed');
    }
    await stranger.apply('not-allowed', { type: 'EchoWorkflow' }, shared);
    await stranger.until('not-allowed', { type: 'Accepted', status: 'False', reason: 'NamespaceNotAllowed' });
    expect(await scene.chains.runsOf(stranger.workflowID('not-allowed'))).toEqual([]);
  });

  it.each(['Fail', 'UseExisting'])("no ID but the namespace's own may be used (%s)", async (idConflictPolicy) => {
    const name = `theirs-${idConflictPolicy.toLowerCase()}`;
    await byName.apply(name, waiting, shared);
    await byName.untilStarted(name);
    const policies = { ...shared, idConflictPolicy, idReusePolicy: 'RejectDuplicate', deletionPolicy: 'Terminate' };
    await byLabel.apply(name, waiting, { ...policies, workflowID: byName.workflowID(name) });
    await byLabel.apply(`${name}-custom`, waiting, { ...policies, workflowID: 'a-name-of-my-own' });
    for (const each of [name, `${name}-custom`]) {
      await byLabel.until(each, forbidden);
      await byLabel.delete(each);
      await byLabel.untilGone(each);
    }
    expect(await scene.chains.statusOf(byName.workflowID(name))).toBe('RUNNING');
  });

  it('a run of unknown origin is neither attached to nor read, though its ID begins like an own one', async () => {
    const [live, closed] = ['foreign-live', 'foreign-closed'] as const;
    await startByHand(byName.workflowID(live), waiting.type);
    await startByHand(byName.workflowID(closed), 'AIWorkflow');
    await scene.chains.untilStatus(byName.workflowID(closed), 'COMPLETED');
    for (const name of [live, closed]) {
      const policies = { idConflictPolicy: 'UseExisting', idReusePolicy: 'RejectDuplicate' };
      await byName.apply(name, waiting, { ...shared, ...policies, deletionPolicy: 'Terminate' });
      const run = await byName.until(name, taken);
      expect(JSON.stringify(run.status)).not.toContain('by hand');
      await byName.delete(name);
      await byName.untilGone(name);
    }
    expect(await scene.chains.statusOf(byName.workflowID(live))).toBe('RUNNING');
  });

  it('a run that was abandoned is attached to when its resource is created anew', async () => {
    const policies = { ...shared, deletionPolicy: 'Abandon', idConflictPolicy: 'UseExisting' };
    await byName.apply('abandoned', waiting, policies);
    const first = await byName.untilStarted('abandoned');
    await byName.delete('abandoned');
    await byName.untilGone('abandoned');
    await byName.apply('abandoned', waiting, policies);
    const second = await byName.untilStarted('abandoned');
    expect(second.status.temporal?.firstRunID).toBe(first.status.temporal?.firstRunID);
    expect(await scene.chains.of(byName.workflowID('abandoned'))).toHaveLength(1);
  });
});

describe('a namespace with twenty live runs, a few of which ignore cancellation', () => {
  /**
   * In a terminating namespace a run is given half a minute, then terminated. The pass that finds the time over may
   * wait for a Temporal that is down, and for those of other runs.
   */
  const RELEASED_MS = 60_000;
  /** The namespace controller looks again at what was left up to a quarter of a minute later. */
  const GONE_MS = 30_000;
  const names = Array.from({ length: 20 }, (_, index) => `run-${index}`);

  async function populated(prefix: string): Promise<Runs> {
    const runs = await tenant(prefix);
    await runs.connect(scene.temporalNamespace);
    for (const [index, name] of names.entries()) {
      await runs.apply(name, { type: index < 3 ? 'DeafWorkflow' : waiting.type });
    }
    for (const name of names) await runs.untilStarted(name);
    return runs;
  }

  async function deleted(runs: Runs): Promise<void> {
    const { namespace } = runs;
    const path = `/api/v1/namespaces/${namespace}`;
    const from = performance.now();
    await own.api.call(path, { method: 'DELETE' });
    await until('all runs to be released', RELEASED_MS, async () => (await runs.list()).length === 0);
    toStderr(`the runs of ${namespace} were released after ${inWords(performance.now() - from)}`);
    await until(`namespace ${namespace} to be gone`, GONE_MS, async () => {
      return own.api.call(path).then(
        () => false,
        (error: unknown) => String(error).includes('404'),
      );
    });
    toStderr(`namespace ${namespace} was gone after ${inWords(performance.now() - from)}`);
  }

  it('is deleted in time, and no run goes on', async () => {
    const runs = await populated('doomed');
    await deleted(runs);
    const statuses = await Promise.all(names.map((name) => scene.chains.statusOf(runs.workflowID(name))));
    expect(statuses.filter((status) => status === 'TERMINATED')).toHaveLength(3);
    expect(statuses.filter((status) => status === 'CANCELED')).toHaveLength(17);
  });

  it('is deleted in time also while Temporal is down, and the operator serves on when that is back', async () => {
    const runs = await populated('doomed');
    await own.kill('temporal');
    try {
      await deleted(runs);
    } finally {
      await own.startAgain('temporal');
    }
    expect(await scene.chains.of(runs.workflowID('run-5'))).toHaveLength(1);
    await scene.runs.apply('afterwards', { type: 'EchoWorkflow', args: ['afterwards'] });
    await scene.runs.untilFinished('afterwards', 'Succeeded', 90_000);
    expect(scene.operator.isRunning()).toBe(true);
  });
});
