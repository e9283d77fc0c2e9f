import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorError } from '../../../src/errors.ts';
import { terminateRun } from '../../../src/temporal/control.ts';
import { QueueReader, type QueueReading, type WorkersReading } from '../../../src/temporal/queues.ts';
import { until } from '../../cluster/poll.ts';
import { aStart, connect, started, type TestClient } from './client.ts';
import { startServer, startWorker, type TestServer, type TestWorker } from './processes.ts';

const SLOTS = 4;
/** The server computes its statistics anew at most every five seconds; beats come every second. */
const WITHIN_MS = 30_000;

let server: TestServer;
let connection: TestClient;
let reader: QueueReader;

beforeAll(async () => {
  server = await startServer();
  connection = connect(server.address);
  reader = new QueueReader(connection.client);
});

afterAll(async () => {
  connection.pool.close();
  await server.remove();
});

const reading = (what: string, queue: string, isSo: (reading: QueueReading) => boolean) =>
  until(what, WITHIN_MS, async () => {
    const found = await reader.read(queue);
    return isSo(found) && found;
  });

/** The beat of the worker of that identity, once it is as it should be. */
const beat = (what: string, identity: string, isSo: (beat: WorkersReading['beats'][number]) => boolean) =>
  until(what, WITHIN_MS, async () => {
    const found = (await reader.workers()).beats.find((one) => one.identity === identity);
    return found && isSo(found) && found;
  });

describe('a reader of queues', () => {
  it('makes one reading of a queue, and one of the workers, whatever the number of those who ask', async () => {
    connection.calls.length = 0;
    const askers = Array.from({ length: 50 });
    const readings = await Promise.all(askers.map(() => reader.read('popular')));
    await Promise.all(askers.map(() => reader.workers()));
    expect(connection.calls.sort()).toEqual(['describeTaskQueue OK', 'describeTaskQueue OK', 'listWorkers OK']);
    expect(new Set(readings).size).toBe(1);
  });

  it('finds nothing on a queue that nobody has used', async () => {
    const nothing = { backlog: 0, ageSeconds: 0, addRatePerSecond: 0, dispatchRatePerSecond: 0 };
    expect(await reader.read('unused')).toMatchObject({
      activities: nothing,
      workflows: nothing,
      pollers: [],
      isRateLimited: false,
    });
  });

  describe('with a real worker', () => {
    let worker: TestWorker | undefined;

    afterAll(() => worker?.stop());

    it('shows what waits, who polls, and which slots work, as they change', async () => {
      const runs = await Promise.all(
        Array.from({ length: SLOTS + 2 }, () =>
          started(connection.client, aStart('SleepWorkflow', [600], { taskQueue: 'busy' })),
        ),
      );
      const waiting = await reading(
        'the workflows to wait',
        'busy',
        ({ workflows }) => workflows.backlog === runs.length,
      );
      expect(waiting.pollers).toEqual([]);
      expect(waiting.activities.backlog).toBe(0);
      await reading('them to become older', 'busy', ({ workflows }) => workflows.ageSeconds > 1);

      worker = await startWorker(server, 'busy', 'pod-1');
      const working = await reading(
        'two activities to wait',
        'busy',
        ({ activities, workflows }) => activities.backlog === 2 && workflows.backlog === 0,
      );
      expect(working.pollers.map(({ identity }) => identity)).toEqual(['pod-1']);
      expect(working.pollers[0]!.lastAccessMs).toBeGreaterThan(Date.now() - 300_000);
      const busy = await beat('all slots to work', 'pod-1', ({ slots }) => slots.activities.used === SLOTS);
      expect(busy).toMatchObject({
        ...{ identity: 'pod-1', taskQueue: 'busy', status: 'Running' },
        slots: { activities: { used: SLOTS, total: SLOTS }, localActivities: { used: 0 } },
      });
      expect(busy.startedAtMs).toBeLessThan(busy.beatAtMs);

      for (const run of runs) await terminateRun(connection.client, { ...run, reason: 'the test is over' });
      const idle = await beat('all slots to be free', 'pod-1', ({ slots }) => slots.activities.used === 0);
      expect(idle).toMatchObject({ instance: busy.instance, slots: { activities: { used: 0, total: SLOTS } } });
      expect(idle.slots.activities.processed).toBeGreaterThanOrEqual(SLOTS);
      await reading('nothing to wait', 'busy', ({ activities }) => activities.backlog === 0);
    });

    it('tells what is away, and answers again when it is back', async () => {
      await server.kill();
      await expect(reader.read('away')).rejects.toMatchObject({
        reason: 'TemporalUnavailable',
        message: expect.stringMatching(/^Could not look at the task queue away: Temporal is unavailable/),
      });
      // What was read last is handed out for a while.
      const isAway = ({ reason }: OperatorError) => reason === 'TemporalUnavailable';
      await until('the workers to be away', WITHIN_MS, () => reader.workers().then(() => false, isAway));
      await server.startAgain();
      await until('an answer', WITHIN_MS, () => reader.read('away'));
    });
  });
});
