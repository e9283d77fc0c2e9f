import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CompletionWatch } from '../../../src/temporal/completions.ts';
import { startRun } from '../../../src/temporal/start.ts';
import { terminateRun } from '../../../src/temporal/control.ts';
import { until } from '../../cluster/poll.ts';
import { aStart, connect, ended, PREFIX, started, type TestClient } from './client.ts';
import { startServer, startWorker, type TestServer, type TestWorker } from './processes.ts';

const KiB = 1_024;
const MiB = 1_024 * KiB;

/** What gRPC takes by itself ends at 4 MiB; histories and memos do not. */
describe('what is large on a real Temporal', () => {
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

  it('hides neither the failure of a run nor the attempts, where 5 MiB of results come between', async () => {
    const chain = await started(client, aStart('LateFailureWorkflow', [16, 320 * KiB]));
    expect(await ended(client, chain, 60_000)).toMatchObject({
      outcome: 'Failed',
      failure: { type: 'ValueError', message: 'the model is broken', activity: 'always_fail', attempts: 3 },
    });
  });

  it('hides no failure of a run that has more to show than is read', async () => {
    const chain = await started(client, aStart('LateFailureWorkflow', [14, 1_300 * KiB]));
    const end = await ended(client, chain, 60_000);
    expect(end).toMatchObject({
      outcome: 'Failed',
      failure: { type: 'ValueError', message: 'the model is broken', activity: 'always_fail' },
    });
    expect(end.kind === 'ended' && end.failure).not.toHaveProperty('attempts');
  });

  it('is not sent again and again where a server does not take it', async () => {
    connection.calls.length = 0;
    const start = startRun(client, aStart('EchoWorkflow', ['x'.repeat(5 * MiB)]));
    await expect(start).rejects.toMatchObject({
      reason: 'TooLarge',
      retry: 'never',
      message: expect.stringMatching(/^Could not start the run .*larger than max/),
    });
    expect(connection.calls).toEqual(['startWorkflowExecution RESOURCE_EXHAUSTED']);
  });

  it('keeps no run of the connection from being seen to end, though others carry 18 MiB of memos', async () => {
    const others = Array.from({ length: 12 }, () => aStart('WaitSignalWorkflow', [], { taskQueue: 'nobody' }));
    for (const { memo, ...other } of others) {
      await startRun(client, { ...other, memo: { ...memo, filler: 'x'.repeat(1.5 * MiB) } });
    }
    const ours = await started(client, aStart('WaitSignalWorkflow', []));
    const hinted = new Set<string>();
    const watch = new CompletionWatch({ client, prefix: PREFIX, onHint: (uid) => void hinted.add(uid) });
    await watch.start();
    try {
      watch.track({ ...ours, isFresh: true });
      await until('the watch to read', 20_000, () => Promise.resolve(watch.stats().rows > others.length));
      await terminateRun(client, { ...ours, reason: 'the test ends it' });
      await until('a hint', 20_000, () => Promise.resolve(hinted.has(ours.uid)));
      expect(watch.stats().failures).toBe(0);
    } finally {
      await watch.stop();
    }
  });
});
