import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun, terminateRun } from '../../../src/temporal/control.ts';
import { describeRun } from '../../../src/temporal/describe.ts';
import { endOf } from '../../../src/temporal/ended.ts';
import { startRun } from '../../../src/temporal/start.ts';
import { until } from '../../cluster/poll.ts';
import { aStart, connect, ended, started, type TestClient } from './client.ts';
import { startServer, startWorker, type TestServer, type TestWorker } from './processes.ts';

const NEVER = 'no such run';

describe('runs on a real Temporal', () => {
  let server: TestServer;
  let worker: TestWorker;
  let connection: TestClient;
  let client: TestClient['client'];

  beforeAll(async () => {
    server = await startServer();
    worker = await startWorker(server, 'queue');
    connection = connect(server.address);
    ({ client } = connection);
  });

  afterAll(async () => {
    connection.pool.close();
    await worker.stop();
    await server.remove();
  });

  beforeEach(() => void (connection.calls.length = 0));

  describe('starting', () => {
    it('answers a repeated request with the run that it started, live or closed', async () => {
      const request = aStart('WaitSignalWorkflow', []);
      const first = await startRun(client, request);
      expect(first).toMatchObject({ kind: 'started', isNew: true });

      const again = await startRun(client, request);
      await server.cli('workflow', 'signal', '--workflow-id', request.workflowID, '--name', 'finish');
      await ended(client, { workflowID: request.workflowID, runID: '', firstRunID: first.firstRunID });
      const afterwards = await startRun(client, request);

      expect(again).toMatchObject({ kind: 'started', runID: first.runID, firstRunID: first.runID });
      expect(afterwards).toMatchObject({ kind: 'started', runID: first.runID, firstRunID: first.runID });
    });

    it.each([
      ['continues as new', aStart('ContinueAsNewWorkflow', [1])],
      [
        'is retried',
        aStart('FlakyWorkflow', [], {
          retry: { maximumAttempts: 2, initialIntervalMs: 100, backoffCoefficient: 1, nonRetryableErrorTypes: [] },
        }),
      ],
    ])('never starts a second chain after a crash, though the first %s and closes', async (_, request) => {
      const chain = await started(client, request); // and the operator dies before it writes that down
      await ended(client, chain);

      const again = await startRun(client, request);

      expect(again).toMatchObject({ kind: 'exists', firstRunID: chain.firstRunID });
      const ours = await describeRun(client, { workflowID: request.workflowID, runID: again.firstRunID });
      expect(ours).toMatchObject({ uid: request.requestID, resource: request.workflowID });
      expect(ours?.requestIDs).toContain(request.requestID);
      expect(await chainsOf(request.workflowID)).toEqual([chain.firstRunID]);
    });

    it('finds its own live chain again that has continued as new meanwhile', async () => {
      const request = aStart('ContinueAsNewWorkflow', [50, 0.5]);
      const chain = await started(client, request);
      const current = await until('the second run', 10_000, async () => {
        const run = await describeRun(client, { workflowID: chain.workflowID });
        return run?.runID !== chain.runID && run;
      });

      expect(await startRun(client, request)).toMatchObject({ kind: 'exists', firstRunID: chain.firstRunID });
      expect(current).toMatchObject({ isLive: true, firstRunID: chain.firstRunID, uid: chain.uid });
      await terminateRun(client, { ...chain, reason: 'the test is over' });
    });

    it('leaves a foreign run alone, live or closed, and says whose it is', async () => {
      const foreign = aStart('WaitSignalWorkflow', []);
      const theirs = await started(client, foreign);
      const ours = aStart('AIWorkflow', ['x'], { workflowID: foreign.workflowID });

      const exists = {
        kind: 'exists',
        runID: theirs.runID,
        firstRunID: theirs.runID,
        startRequestID: foreign.requestID,
      };
      expect(await startRun(client, ours)).toEqual(exists);
      await terminateRun(client, { ...theirs, reason: 'closed' });
      expect(await startRun(client, ours)).toEqual(exists);
      expect(await startRun(client, { ...ours, reusePolicy: 'AllowDuplicate' })).toMatchObject({ isNew: true });
    });

    it('attaches to a live foreign run and leaves a trace there', async () => {
      const theirs = await started(client, aStart('WaitSignalWorkflow', []));
      const ours = aStart('WaitSignalWorkflow', [], { workflowID: theirs.workflowID, conflictPolicy: 'UseExisting' });

      expect(await startRun(client, ours)).toEqual({
        kind: 'started',
        runID: theirs.runID,
        firstRunID: theirs.runID,
        isNew: false,
      });
      expect((await describeRun(client, theirs))?.requestIDs).toContain(ours.requestID);
      await terminateRun(client, { ...theirs, reason: 'the test is over' });
    });

    it('passes arguments and results on exactly', async () => {
      const args = [
        2n ** 63n - 1n,
        -(2n ** 62n),
        9_007_199_254_740_993n,
        null,
        { __proto__: null, a: [1.5, '\u0000', '😀'] },
        '',
      ];
      const end = await ended(client, await started(client, aStart('EchoWorkflow', args)));
      expect(end).toMatchObject({ outcome: 'Succeeded', result: { isTruncated: false } });
      expect(end.kind === 'ended' && end.result?.value).toEqual(args);
    });

    it('says what Temporal rejects, and that trying again is no use', async () => {
      const start = startRun(client, aStart('AIWorkflow', [], { taskQueue: '' }));
      await expect(start).rejects.toMatchObject({
        reason: 'TemporalRejected',
        retry: 'never',
        message: expect.stringMatching(/^Could not start the run .*: .*task ?queue/i),
      });
      expect(connection.calls).toEqual(['startWorkflowExecution INVALID_ARGUMENT']);
    });
  });

  describe('the end of a chain', () => {
    it('costs one call for an ordinary run, live or closed', async () => {
      const chain = await started(client, aStart('WaitSignalWorkflow', []));
      connection.calls.length = 0;
      const began = performance.now();
      expect(await endOf(client, chain)).toEqual({ kind: 'live', runID: chain.runID });
      expect(performance.now() - began).toBeLessThan(1_000);
      expect(connection.calls).toHaveLength(1);

      await server.cli(
        'workflow',
        'signal',
        '--workflow-id',
        chain.workflowID,
        '--name',
        'finish',
        '--input',
        '{"a": 1}',
      );
      await ended(client, chain);
      connection.calls.length = 0;
      expect(await endOf(client, chain)).toMatchObject({
        kind: 'ended',
        runID: chain.runID,
        outcome: 'Succeeded',
        result: { value: { a: 1 } },
      });
      expect(connection.calls).toHaveLength(1);
    });

    it('shows the error that an activity raised, its attempts and what caused it', async () => {
      const end = await ended(client, await started(client, aStart('FailingWorkflow', ['the model is broken'])));
      expect(end).toMatchObject({
        outcome: 'Failed',
        failure: {
          kind: 'Application',
          type: 'ValueError',
          message: 'the model is broken',
          activity: 'always_fail',
          attempts: 3,
          cause: [
            { type: 'KeyError', message: "'weights'" },
            { type: 'OSError', message: 'the model file is truncated' },
          ],
        },
      });
    });

    it('follows continue-as-new to the last run', async () => {
      const chain = await started(client, aStart('ContinueAsNewWorkflow', [2]));
      const end = await ended(client, chain);
      expect(end).toMatchObject({ outcome: 'Succeeded', result: { value: 'chain of 3' } });
      expect(end.kind === 'ended' && end.runID).not.toBe(chain.runID);
    });

    it('jumps to the current run of a long chain', async () => {
      const chain = await started(client, aStart('ContinueAsNewWorkflow', [6]));
      await ended(client, chain, 30_000);
      connection.calls.length = 0;
      expect(await endOf(client, chain)).toMatchObject({ outcome: 'Succeeded', result: { value: 'chain of 7' } });
      expect(connection.calls).toHaveLength(5);
    });

    it('goes on from the current run when the first is forgotten', async () => {
      const chain = await started(client, aStart('ContinueAsNewWorkflow', [1]));
      const end = await ended(client, chain);
      await server.cli('workflow', 'delete', '--yes', '--workflow-id', chain.workflowID, '--run-id', chain.runID);
      await until('the first run to be gone', 20_000, async () => (await describeRun(client, chain)) === undefined);
      expect(await endOf(client, chain)).toEqual(end);
    });

    it('follows a retry of the workflow', async () => {
      const retry = { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 1, nonRetryableErrorTypes: [] };
      const end = await ended(client, await started(client, aStart('FlakyWorkflow', [], { retry })));
      expect(end).toMatchObject({ outcome: 'Succeeded', result: { value: 'attempt 2' } });
    });

    it('follows the reset of a live run', async () => {
      const chain = await started(client, aStart('WaitSignalWorkflow', []));
      await until(
        'the first workflow task',
        10_000,
        async () => ((await describeRun(client, chain))?.historyLength ?? 0) >= 4,
      );
      const { workflowID, runID } = chain;
      await server.cli(
        'workflow',
        'reset',
        '--workflow-id',
        workflowID,
        '--run-id',
        runID,
        '--type',
        'LastWorkflowTask',
        '--reason',
        'test',
      );

      const live = await endOf(client, chain);
      expect(live).toMatchObject({ kind: 'live' });
      expect(live.kind === 'live' && live.runID).not.toBe(runID);
      await server.cli('workflow', 'signal', '--workflow-id', workflowID, '--name', 'finish');
      expect(await ended(client, chain)).toMatchObject({ outcome: 'Succeeded', result: { value: 'finished' } });
    });

    it.each([
      ['nothing', 'CleanupWorkflow', [0], 'Canceled'],
      ['a timeout', 'TimerWorkflow', [600], 'TimedOut'],
    ] as const)('tells of a run that ended with %s to show', async (_, type, args, outcome) => {
      const timeouts = outcome === 'TimedOut' ? { timeouts: { executionMs: 1_000 } } : {};
      const chain = await started(client, aStart(type, args, timeouts));
      if (outcome === 'Canceled') await cancelRun(client, { ...chain, reason: 'test' });
      expect(await ended(client, chain)).toMatchObject({
        outcome,
        closeTime: expect.any(Date),
        failure: { message: expect.any(String) },
      });
    });

    it('keeps a big result to its beginning, and says so', async () => {
      const end = await ended(client, await started(client, aStart('BigResultWorkflow', [10_000])));
      expect(end).toMatchObject({ result: { value: `"${'x'.repeat(4_095)}`, isTruncated: true } });
    });

    it('shows that a run returned nothing', async () => {
      const chain = await started(client, aStart('WaitSignalWorkflow', []));
      await server.cli('workflow', 'signal', '--workflow-id', chain.workflowID, '--name', 'finish', '--input', 'null');
      expect(await ended(client, chain)).toMatchObject({ outcome: 'Succeeded', result: { value: null } });
    });

    it('says that a run is not there', async () => {
      const unknown = { workflowID: NEVER, runID: '', firstRunID: crypto.randomUUID() };
      expect(await endOf(client, unknown)).toEqual({ kind: 'notFound' });
      expect(await describeRun(client, { workflowID: NEVER })).toBeUndefined();
    });
  });

  describe('ending a run', () => {
    it('cancels and terminates by the first run of the chain, as often as it is asked to', async () => {
      const chain = await started(client, aStart('ContinueAsNewWorkflow', [100, 0.5]));
      await until(
        'the second run',
        10_000,
        async () => (await describeRun(client, { workflowID: chain.workflowID }))?.runID !== chain.runID,
      );

      await cancelRun(client, { ...chain, reason: 'first' });
      await cancelRun(client, { ...chain, reason: 'again' });
      await terminateRun(client, { ...chain, reason: 'enough' });
      await terminateRun(client, { ...chain, reason: 'enough' });
      await cancelRun(client, { ...chain, reason: 'too late' });

      const end = await ended(client, chain);
      expect(end).toMatchObject({ kind: 'ended' });
      expect(['Canceled', 'Terminated']).toContain(end.kind === 'ended' && end.outcome);
    });

    it('never touches a later run of somebody else under the same workflow ID', async () => {
      const ours = await started(client, aStart('DeafWorkflow', []));
      await terminateRun(client, { ...ours, reason: 'ours ends' });
      const foreign = aStart('DeafWorkflow', [], { workflowID: ours.workflowID, reusePolicy: 'AllowDuplicate' });
      const theirs = await started(client, foreign);

      await cancelRun(client, { ...ours, reason: 'deleted' });
      await terminateRun(client, { ...ours, reason: 'deleted' });

      expect(await describeRun(client, { workflowID: ours.workflowID })).toMatchObject({
        runID: theirs.runID,
        isLive: true,
        cancelRequested: false,
      });
      expect(await endOf(client, ours)).toMatchObject({ kind: 'ended', runID: ours.runID, outcome: 'Terminated' });
      await terminateRun(client, { ...theirs, reason: 'the test is over' });
    });

    it('succeeds where there is nothing to end', async () => {
      const nothing = { workflowID: NEVER, firstRunID: crypto.randomUUID(), reason: 'test' };
      await expect(cancelRun(client, nothing)).resolves.toBeUndefined();
      await expect(terminateRun(client, nothing)).resolves.toBeUndefined();
    });
  });

  /** First runs of all chains under an ID, once visibility shows that every run of it has closed. */
  async function chainsOf(workflowID: string): Promise<string[]> {
    const list = await server.cli('workflow', 'list', '--query', `WorkflowId = '${workflowID}'`, '--output', 'json');
    const rows = JSON.parse(list) as { readonly execution: { readonly runId: string } }[];
    const runs = await Promise.all(
      rows.map(({ execution }) => describeRun(client, { workflowID, runID: execution.runId })),
    );
    return [...new Set(runs.map((run) => run!.firstRunID))];
  }
});
