import { describe, expect, it } from '@jest/globals';
import proto, { type temporal } from '@temporalio/proto';
import type { CallOptions } from '../../../src/temporal/call.ts';
import { QueueReader } from '../../../src/temporal/queues.ts';
import { aTemporal, timestamp, type Answers } from '../../builders/temporal.ts';

type Description = temporal.api.workflowservice.v1.DescribeTaskQueueResponse.$Properties;
const { TASK_QUEUE_TYPE_ACTIVITY: ACTIVITIES } = proto.temporal.api.enums.v1.TaskQueueType;
const { DescribeTaskQueueResponse } = proto.temporal.api.workflowservice.v1;

/** As it comes over the wire, where a field that is 0 is not there at all. */
const received = (response: Description) =>
  DescribeTaskQueueResponse.decode(DescribeTaskQueueResponse.encode(response).finish());

/** A Temporal with these answers for activities and for workflows, and how often it was asked. */
function aReader({ activities = {}, workflows = {} }: { activities?: Description; workflows?: Description } = {}) {
  const asked: string[] = [];
  const answers: Answers = {
    describeTaskQueue: ({ taskQueue, taskQueueType, reportStats }) => {
      asked.push(`${taskQueue?.name ?? ''} ${taskQueueType ?? 0} ${String(reportStats)}`);
      return received(taskQueueType === ACTIVITIES ? activities : workflows);
    },
    listWorkers: () => {
      asked.push('workers');
      return { workersInfo: [{ workerHeartbeat: { workerIdentity: 'pod-1' } }, {}] as never };
    },
  };
  return { reader: new QueueReader(aTemporal(answers)), asked };
}

const nothing = { backlog: 0, ageSeconds: 0, addRatePerSecond: 0, dispatchRatePerSecond: 0 };

describe('a reading of a queue', () => {
  it('has the figures of both kinds of task', async () => {
    const { reader } = aReader({
      activities: {
        stats: {
          approximateBacklogCount: timestamp(25_000).seconds,
          approximateBacklogAge: timestamp(12_500),
          tasksAddRate: 1.5,
          tasksDispatchRate: 0.5,
        },
      },
      workflows: { stats: { approximateBacklogCount: timestamp(1_000).seconds, rateLimitingActive: true } },
    });
    const beforeMs = Date.now();
    const { readAtMs, ...reading } = await reader.read('queue');
    expect(reading).toEqual({
      activities: { backlog: 25, ageSeconds: 12.5, addRatePerSecond: 1.5, dispatchRatePerSecond: 0.5 },
      workflows: { ...nothing, backlog: 1 },
      pollers: [],
      isRateLimited: true,
    });
    expect(readAtMs).toBeGreaterThanOrEqual(beforeMs);
  });

  it('is one of nothing where the server omits all', async () => {
    const { reader } = aReader();
    expect(await reader.read('queue')).toMatchObject({
      activities: nothing,
      workflows: nothing,
      pollers: [],
      isRateLimited: false,
    });
  });

  it('lists a worker that polls for both kinds once, with the later time', async () => {
    const poller = (identity: string, ms: number) => ({ identity, lastAccessTime: timestamp(ms) });
    const { reader } = aReader({
      activities: { pollers: [poller('a', 1_000), poller('b', 2_000)] },
      workflows: { pollers: [poller('a', 3_500), {}] },
    });
    expect((await reader.read('queue')).pollers).toEqual([
      { identity: 'a', lastAccessMs: 3_500 },
      { identity: 'b', lastAccessMs: 2_000 },
      { identity: '', lastAccessMs: 0 },
    ]);
  });

  it('costs two calls, whatever the number of those who ask', async () => {
    const { reader, asked } = aReader();
    await Promise.all(Array.from({ length: 50 }, () => reader.read('queue')));
    await reader.read('other');
    expect(asked.sort()).toEqual(['other 1 true', 'other 2 true', 'queue 1 true', 'queue 2 true']);
  });

  it('gives up a server that does not answer within two seconds', async () => {
    const deadlines: unknown[] = [];
    const note = (_: unknown, { deadlineMs }: CallOptions) => (deadlines.push(deadlineMs), received({}));
    const listWorkers: Answers['listWorkers'] = (_, { deadlineMs }) => (
      deadlines.push(deadlineMs),
      { workersInfo: [] }
    );
    const reader = new QueueReader(aTemporal({ describeTaskQueue: note, listWorkers }));
    await Promise.all([reader.read('queue'), reader.workers()]);
    expect(deadlines).toEqual([2_000, 2_000, 2_000]);
  });

  it('of the workers is one call for all queues, without those that have not reported', async () => {
    const { reader, asked } = aReader();
    const readings = await Promise.all([reader.workers(), reader.workers()]);
    expect(readings[0].beats.map(({ identity }) => identity)).toEqual(['pod-1']);
    expect(asked).toEqual(['workers']);
  });
});
