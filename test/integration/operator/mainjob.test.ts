import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { until } from '../../cluster/poll.ts';
import { applyCrds, cluster, freshNamespace, freshTemporalNamespace } from '../../cluster/shared.ts';
import { startPythonWorker, type PythonWorker } from '../pythonworker.ts';
import { startOperator, type OperatorProcess } from './process.ts';
import { Runs } from './runs.ts';

jest.setTimeout(180_000);
let shared: LocalCluster;
let operator: OperatorProcess;
let worker: PythonWorker;
let runs: Runs;
let temporalNamespace: string;
let temporal: Connection;

beforeAll(async () => {
  shared = await cluster();
  await applyCrds(shared);
  runs = new Runs(shared, await freshNamespace(shared, 'runs'));
  temporalNamespace = await freshTemporalNamespace(shared, 'runs');
  worker = await startPythonWorker({
    env: {
      TEMPORAL_ADDRESS: shared.temporalAddress,
      TEMPORAL_NAMESPACE: temporalNamespace,
      TEMPORAL_TASK_QUEUE: 'queue',
      AIWORKFLOW_IDENTITY: 'by-hand',
      AIWORKFLOW_HEARTBEAT_SECONDS: '1',
    },
  });
  await worker.printed('Polling');
  temporal = await Connection.connect({ address: shared.temporalAddress });
  operator = await startOperator(shared, runs.namespace);
  await runs.connect(temporalNamespace);
}, 180_000);

afterAll(async () => {
  await operator.kill('SIGTERM');
  await worker[Symbol.asyncDispose]();
  await temporal.close();
});

const finished = { type: 'Finished', status: 'True' };
const workflowID = (name: string) => `${runs.namespace}/${runs.namespace}/${name}`;

/** First run IDs of all chains under that workflow ID, read from the histories: a list shows rows, not chains. */
async function chainsOf(id: string): Promise<string[]> {
  const { executions } = await temporal.workflowService.listWorkflowExecutions({
    namespace: temporalNamespace,
    query: `WorkflowId = '${id}'`,
  });
  const firsts = executions.map(async ({ execution }) => {
    const { history } = await temporal.workflowService.getWorkflowExecutionHistory({
      ...{ namespace: temporalNamespace, execution: execution ?? {}, maximumPageSize: 1 },
    });
    return history?.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? '';
  });
  return [...new Set(await Promise.all(firsts))];
}

describe('a run', () => {
  it('is started, succeeds, and shows its result after at most five writes', async () => {
    await runs.apply('hello', { type: 'AIWorkflow', args: ['Your AI prompt here'] });
    const { status } = await runs.until('hello', { ...finished, reason: 'Succeeded' });
    expect(status).toMatchObject({
      phase: 'Succeeded',
      result: 'Inference result for: Your AI prompt here',
      temporal: { workflowID: workflowID('hello'), namespace: temporalNamespace },
    });
    expect(status.conditions?.find(({ type }) => type === 'Succeeded')?.status).toBe('True');
    await until('the finalizer to be off', 10_000, async () => !(await runs.get('hello')).metadata.finalizers?.length);
    await until('the audit log', 10_000, async () => (await runs.writes('hello')) >= 5);
    expect(await runs.writes('hello')).toBe(5);
  });

  it('whose activity fails on every attempt shows the failure, its attempts and its causes', async () => {
    await runs.apply('failing', { type: 'FailingWorkflow', args: ['the model is broken'] });
    const { status } = await runs.until('failing', { ...finished, reason: 'Failed' });
    expect(status.phase).toBe('Failed');
    expect(status.failure).toMatchObject({ type: 'ValueError', activity: 'always_fail', attempts: 3 });
    expect(JSON.stringify(status.failure)).toContain('the model is broken');
  });

  it('that Temporal terminates, and one that continues as new and ends, show it within ten seconds', async () => {
    await runs.apply('terminated', { type: 'WaitSignalWorkflow' });
    await runs.apply('chain', { type: 'ContinueAsNewWorkflow', args: [3] });
    await runs.until('terminated', { type: 'Ready', status: 'True', reason: 'Started' });
    await shared.temporal([
      ...['workflow', 'terminate', '--namespace', temporalNamespace],
      ...['--workflow-id', workflowID('terminated'), '--reason', 'by hand'],
    ]);
    await runs.until('terminated', { ...finished, reason: 'Terminated' }, 10_000);
    await runs.until('chain', { ...finished, reason: 'Succeeded' }, 20_000);
  });

  it('is canceled when its resource is deleted, and the resource goes when it has ended', async () => {
    await runs.apply('deleted', { type: 'WaitSignalWorkflow' });
    await runs.until('deleted', { type: 'Ready', status: 'True', reason: 'Started' });
    await runs.delete('deleted');
    await runs.untilGone('deleted');
    const described = await shared.temporal([
      ...['workflow', 'describe', '--namespace', temporalNamespace, '--workflow-id', workflowID('deleted')],
    ]);
    expect(described).toMatch(/CANCELED/i);
  });

  it('waits for a connection that is missing, says so, and starts when it comes', async () => {
    await runs.apply('early', { type: 'EchoWorkflow', args: [1] }, { connectionRef: { name: 'later' } });
    const { status } = await runs.until('early', { type: 'Accepted', status: 'False', reason: 'ConnectionNotFound' });
    expect(status.temporal?.runID).toBeUndefined();
    await runs.connect(temporalNamespace, 'later');
    await runs.until('early', { ...finished, reason: 'Succeeded' });
  });
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
      await operator.kill();
      operator = await startOperator(shared, runs.namespace);
    }
    await applied;
    for (const name of names) await runs.until(name, { ...finished, reason: 'Succeeded' }, 60_000);
    for (const name of names) {
      const { status } = await runs.get(name);
      expect(await chainsOf(workflowID(name))).toEqual([status.temporal?.firstRunID]);
    }
  });
});
