import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cluster, freshNamespace } from '../../cluster/shared.ts';
import { conditionOf, Runs } from './runs.ts';
import { openScene, type Scene } from './scene.ts';

// Whose a run is, where every namespace has a connection of its own. Through a ClusterTemporalConnection: clusterwide.test.ts.

jest.setTimeout(120_000);
let scene: Scene;
let runs: Runs;
/** Of another tenant, whose connection leads to the same Temporal namespace. */
let other: Runs;

beforeAll(async () => {
  const tenant = await freshNamespace(await cluster(), 'other');
  scene = await openScene('identity', { operator: { serves: [tenant] } });
  ({ runs } = scene);
  other = new Runs(scene.shared, tenant, runs.namespace);
  await other.connect(scene.temporalNamespace);
}, 180_000);

afterAll(() => scene.close());

const waiting = { type: 'WaitSignalWorkflow' };
const taken = { type: 'Ready', status: 'False', reason: 'WorkflowIDTaken' };

/** Starts a run that no resource knows of, as somebody with access to Temporal would. */
async function startByHand(workflowID: string, type: string, input: unknown = null): Promise<void> {
  const what = ['--type', type, '--task-queue', 'queue', '--workflow-id', workflowID];
  await scene.temporal('workflow', 'start', ...what, '--input', JSON.stringify(input));
}

/** A run by hand that has ended that way. */
async function endedByHand(workflowID: string, outcome: 'COMPLETED' | 'FAILED'): Promise<string[]> {
  await startByHand(workflowID, outcome === 'FAILED' ? 'FailingWorkflow' : 'AIWorkflow', 'by hand');
  await scene.chains.untilStatus(workflowID, outcome);
  return scene.chains.of(workflowID);
}

describe("another tenant's run", () => {
  it.each([
    ['refused', 'Fail', 'AllowDuplicate'],
    ['not attached to', 'UseExisting', 'AllowDuplicate'],
    ['not started anew', 'UseExisting', 'AllowDuplicateFailedOnly'],
    ['not read', 'UseExisting', 'RejectDuplicate'],
  ])('is %s through its workflow ID (%s, %s), nor ended with the resource', async (what, conflict, reuse) => {
    const [live, closed] = ['live', 'closed'].map((state) => `${state}-${what.replaceAll(' ', '-')}`) as [
      string,
      string,
    ];
    await runs.apply(live, waiting);
    await runs.apply(closed, { type: 'AIWorkflow', args: ['secret'] });
    await runs.untilStarted(live);
    await runs.untilFinished(closed);
    for (const name of [live, closed]) {
      const policies = { idConflictPolicy: conflict, idReusePolicy: reuse, deletionPolicy: 'Terminate' };
      await other.apply(name, { type: 'EchoWorkflow' }, { ...policies, workflowID: runs.workflowID(name) });
      const run = await other.until(name, { type: 'Accepted', status: 'False', reason: 'WorkflowIDForbidden' });
      expect(run.status.temporal).toBeUndefined();
      expect(JSON.stringify(run.status)).not.toContain('secret');
      await other.delete(name);
      await other.untilGone(name);
      expect(await scene.chains.of(runs.workflowID(name))).toHaveLength(1);
    }
    expect(await scene.chains.statusOf(runs.workflowID(live))).toBe('RUNNING');
  });
});

describe('a live run that was there before', () => {
  it('is refused by default, and outlives the resource that asked for its ID', async () => {
    await startByHand('by-hand-1', waiting.type);
    await runs.apply('refused', waiting, { workflowID: 'by-hand-1', deletionPolicy: 'Terminate' });
    const run = await runs.until('refused', taken);
    expect(conditionOf(run, 'Ready')?.message).toMatch(/by-hand-1/);
    expect(conditionOf(run, 'Stalled')?.status).toBe('True');
    await runs.delete('refused');
    await runs.untilGone('refused');
    expect(await scene.chains.statusOf('by-hand-1')).toBe('RUNNING');
  });

  it('is attached to with idConflictPolicy UseExisting, and its outcome shown', async () => {
    await startByHand('by-hand-2', waiting.type);
    await runs.apply('attached', waiting, { workflowID: 'by-hand-2', idConflictPolicy: 'UseExisting' });
    const { status } = await runs.untilStarted('attached');
    expect(await scene.chains.of('by-hand-2')).toEqual([status.temporal?.firstRunID]);
    await scene.chains.signal('by-hand-2', 'finish', 'theirs');
    expect((await runs.untilFinished('attached')).status.result).toBe('theirs');
  });
});

describe('a closed run that was there before', () => {
  it.each([
    ['AllowDuplicate', 'COMPLETED'],
    ['AllowDuplicate', 'FAILED'],
    ['AllowDuplicateFailedOnly', 'FAILED'],
  ] as const)('does not hinder another one (%s, %s)', async (idReusePolicy, outcome) => {
    const name = `anew-${idReusePolicy}-${outcome}`.toLowerCase();
    const before = await endedByHand(name, outcome);
    await runs.apply(name, { type: 'EchoWorkflow', args: ['ours'] }, { workflowID: name, idReusePolicy });
    const { status } = await runs.untilFinished(name);
    expect(status.result).toEqual(['ours']);
    expect(new Set(await scene.chains.of(name))).toEqual(new Set([...before, status.temporal?.firstRunID]));
  });

  it.each([
    ['AllowDuplicateFailedOnly', 'COMPLETED', 'Succeeded'],
    ['RejectDuplicate', 'COMPLETED', 'Succeeded'],
    ['RejectDuplicate', 'FAILED', 'Failed'],
  ] as const)('is taken over as it is (%s, %s)', async (idReusePolicy, outcome, reason) => {
    const name = `taken-${idReusePolicy}-${outcome}`.toLowerCase();
    const before = await endedByHand(name, outcome);
    await runs.apply(name, { type: 'EchoWorkflow', args: ['ours'] }, { workflowID: name, idReusePolicy });
    const { status } = await runs.untilFinished(name, reason);
    expect(status.result).toBe(outcome === 'FAILED' ? undefined : 'Inference result for: by hand');
    expect(await scene.chains.of(name)).toEqual(before);
    expect(status.temporal?.firstRunID).toBe(before[0]);
  });
});

describe('a resource that is created anew under its name', () => {
  const again = (name: string, policies = {}) => runs.apply(name, { type: 'AIWorkflow', args: ['again'] }, policies);

  it('runs anew, as a Job would', async () => {
    await again('anew');
    const first = await runs.untilFinished('anew');
    await runs.delete('anew');
    await runs.untilGone('anew');
    await again('anew');
    const second = await runs.untilFinished('anew');
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    expect(second.status.temporal?.firstRunID).not.toBe(first.status.temporal?.firstRunID);
    expect(await scene.chains.of(runs.workflowID('anew'))).toHaveLength(2);
  });

  it('shows the outcome there is with idReusePolicy RejectDuplicate, and runs nothing twice', async () => {
    await again('kept', { idReusePolicy: 'RejectDuplicate' });
    const first = await runs.untilFinished('kept');
    await runs.delete('kept');
    await runs.untilGone('kept');
    await again('kept', { idReusePolicy: 'RejectDuplicate' });
    const second = await runs.untilFinished('kept');
    expect(second.status).toMatchObject({ result: first.status.result, temporal: first.status.temporal });
    expect(await scene.chains.of(runs.workflowID('kept'))).toEqual([first.status.temporal?.firstRunID]);
  });

  it.each(['UseExisting', 'Fail'])('finds the run that it had abandoned (%s)', async (idConflictPolicy) => {
    const name = `abandoned-${idConflictPolicy.toLowerCase()}`;
    const policies = { deletionPolicy: 'Abandon', idConflictPolicy };
    await runs.apply(name, waiting, policies);
    const first = await runs.untilStarted(name);
    await runs.delete(name);
    await runs.untilGone(name);
    expect(await scene.chains.statusOf(runs.workflowID(name))).toBe('RUNNING');
    await runs.apply(name, waiting, policies);
    if (idConflictPolicy === 'Fail') await runs.until(name, taken);
    else expect((await runs.untilStarted(name)).status.temporal).toEqual(first.status.temporal);
    expect(await scene.chains.of(runs.workflowID(name))).toEqual([first.status.temporal?.firstRunID]);
    expect(await scene.chains.statusOf(runs.workflowID(name))).toBe('RUNNING');
  });
});
