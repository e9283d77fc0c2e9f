import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { run } from '../cluster/command.ts';
import { repository } from '../cluster/places.ts';
import { until } from '../cluster/poll.ts';
import { freePorts } from '../cluster/ports.ts';
import { cluster, freshTemporalNamespace } from '../cluster/shared.ts';
import { pythonWithKit } from './pythonenv.ts';
import { startPythonWorker } from './pythonworker.ts';
import type { PythonWorkerOptions } from './pythonworker.ts';

type Heartbeat = temporal.api.worker.v1.IWorkerHeartbeat;

const SHUTTING_DOWN = temporal.api.enums.v1.WorkerStatus.WORKER_STATUS_SHUTTING_DOWN;
const kit = join(repository, 'kits/python');
const isRoot = process.getuid?.() === 0;
jest.setTimeout(60_000);
let connection: Connection;
let client: Client;
let address: string;
let namespace: string;

beforeAll(async () => {
  await pythonWithKit();
  const shared = await cluster();
  address = shared.temporalAddress;
  namespace = await freshTemporalNamespace(shared, 'kit');
  connection = await Connection.connect({ address });
  client = new Client({ connection, namespace });
}, 120_000);

afterAll(() => connection.close());

/** The environment that the operator gives a pod of that queue. */
function podOf(taskQueue: string, more: Readonly<Record<string, string>> = {}): PythonWorkerOptions {
  const ours = { AIWORKFLOW_IDENTITY: `${taskQueue}-pod`, AIWORKFLOW_HEARTBEAT_SECONDS: '1' };
  const env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, TEMPORAL_TASK_QUEUE: taskQueue };
  return { env: { ...env, ...ours, ...more } };
}

async function heartbeats(taskQueue: string): Promise<Heartbeat[]> {
  const listed = await connection.workflowService.listWorkers({ namespace, query: `TaskQueue='${taskQueue}'` });
  return listed.workersInfo.flatMap((worker) => worker.workerHeartbeat ?? []);
}

function start(type: string, taskQueue: string, ...args: unknown[]) {
  return client.workflow.start(type, { taskQueue, workflowId: `${taskQueue}-${type}-${Math.random()}`, args });
}

/** Returns once an activity of the run has started. */
async function activityStarted(handle: Awaited<ReturnType<typeof start>>): Promise<void> {
  await until('an activity to start', 20_000, async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.some(({ lastStartedTime }) => lastStartedTime);
  });
}

/** Has that port of this machine lead to the address. */
async function listenFor(target: string, port: number): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const [host, targetPort] = target.split(':');
  const server = createServer((incoming) => {
    const outgoing = createConnection({ host: host ?? '', port: Number(targetPort) });
    for (const socket of [incoming, outgoing]) sockets.add(socket.on('error', () => undefined));
    incoming.pipe(outgoing).pipe(incoming);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { [Symbol.asyncDispose]: close };
}

describe('the environment contract', () => {
  it('is read with its limits, and typed', async () => {
    const python = await pythonWithKit();
    const quietly = { env: { PYTHONDONTWRITEBYTECODE: '1', HOME: '/nonexistent' }, cwd: kit };
    await run(python, ['-m', 'pytest', '-q', 'tests'], quietly);
    await run(python, ['-m', 'mypy', '--cache-dir=/dev/null', 'src', 'tests'], quietly);
  });

  it.each([
    [{ AIWORKFLOW_HEARTBEAT_SECONDS: '0' }, 'AIWORKFLOW_HEARTBEAT_SECONDS must be a number of seconds from 1 to 60'],
    [{ TEMPORAL_TASK_QUEUE: '' }, 'TEMPORAL_TASK_QUEUE is not set'],
    [{ TEMPORAL_ADDRESS: 'no address' }, 'TEMPORAL_ADDRESS must be <host>:<port>'],
    [{ TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nowhere' }, 'The file /nowhere that a TEMPORAL_* variable names'],
  ])('%j ends the process with code 2 and one sentence', async (wrong, sentence) => {
    await using worker = await startPythonWorker(podOf('wrong', wrong));
    expect(await worker.ended()).toBe(2);
    expect(worker.output()).toContain(sentence);
    expect(worker.output().trim().split('\n')).toHaveLength(1);
  });

  it('shows in what Temporal knows of the worker: identity, host, slots, and a beat every second', async () => {
    await using worker = await startPythonWorker(podOf('beats', { AIWORKFLOW_SLOTS: '3' }));
    await worker.printed('Polling');
    const polledAtMs = Date.now();
    const first = await until('the first heartbeat', 2_000, async () => (await heartbeats('beats'))[0]);
    expect(Date.now() - polledAtMs).toBeLessThan(2_000);
    expect(first).toMatchObject({ workerIdentity: 'beats-pod', hostInfo: { hostName: hostname() } });
    expect(first.activityTaskSlotsInfo).toMatchObject({ currentAvailableSlots: 3 });
    expect(first.localActivitySlotsInfo).toMatchObject({ currentAvailableSlots: 3 });
    const beat = (heartbeat?: Heartbeat) => Number(heartbeat?.heartbeatTime?.seconds);
    const later = await until('more beats', 5_000, async () => {
      const [now] = await heartbeats('beats');
      return beat(now) >= beat(first) + 2 ? now : undefined;
    });
    expect(Number(later.elapsedSinceLastHeartbeat?.seconds ?? 0)).toBeLessThanOrEqual(1);
  });

  it('bounds the activities that run at once by the slots', async () => {
    await using worker = await startPythonWorker(podOf('slots', { AIWORKFLOW_SLOTS: '2' }));
    await worker.printed('Polling');
    const runs = await Promise.all([1, 2, 3].map(() => start('BlockWorkflow', 'slots', 3)));
    await until('2 busy slots', 10_000, async () => {
      return (await heartbeats('slots'))[0]?.activityTaskSlotsInfo?.currentUsedSlots === 2;
    });
    const described = await Promise.all(runs.map((handle) => handle.describe()));
    const running = described.flatMap(({ raw }) => raw.pendingActivities ?? []).filter((one) => one.lastStartedTime);
    expect(running).toHaveLength(2);
    expect(await Promise.all(runs.map((handle) => handle.result()))).toEqual(Array(3).fill('attempt 1'));
  });
});

describe('SIGTERM', () => {
  it.each([
    ['an asynchronous activity', 'SleepWorkflow'],
    ['a synchronous activity', 'BlockWorkflow'],
    ['a local activity', 'LocalSleepWorkflow'],
  ])('lets %s finish, takes nothing new, and ends with 0', async (_what, type) => {
    const queue = `drain-${type}`;
    await using worker = await startPythonWorker(podOf(queue, { AIWORKFLOW_GRACE_SECONDS: '30' }));
    await worker.printed('Polling');
    const running = await start(type, queue, 3);
    await until('a busy slot', 10_000, async () => {
      const [beat] = await heartbeats(queue);
      return [beat?.activityTaskSlotsInfo, beat?.localActivitySlotsInfo].some((slots) => slots?.currentUsedSlots === 1);
    });
    worker.signal('SIGTERM');
    await worker.printed('SIGTERM: no new tasks');
    const late = await start('AIWorkflow', queue, 'too late');
    expect(await worker.ended()).toBe(0);

    const { events } = await late.fetchHistory();
    expect(events?.some((event) => event.workflowTaskStartedEventAttributes)).toBe(false);
    await using successor = await startPythonWorker(podOf(queue));
    await successor.printed('Polling');
    expect(await running.result()).toBe('attempt 1');
    expect(await late.result()).toBe('Inference result for: too late');
  });

  it('shows as shutting down at once', async () => {
    await using worker = await startPythonWorker(podOf('leaving', { AIWORKFLOW_GRACE_SECONDS: '30' }));
    await worker.printed('Polling');
    const running = await start('SleepWorkflow', 'leaving', 4);
    await activityStarted(running);
    worker.signal('SIGTERM');
    await until('SHUTTING_DOWN', 2_000, async () => (await heartbeats('leaving'))[0]?.status === SHUTTING_DOWN);
    expect(await worker.ended()).toBe(0);
  });

  it('hands an activity that outlives the grace period to another pod at once', async () => {
    await using worker = await startPythonWorker(podOf('grace', { AIWORKFLOW_GRACE_SECONDS: '1' }));
    await worker.printed('Polling');
    const running = await start('SleepWorkflow', 'grace', 8);
    await activityStarted(running);
    worker.signal('SIGTERM');
    expect(await worker.ended(4_000)).toBe(0);
    const { raw } = await running.describe();
    expect(raw.pendingActivities?.[0]).toMatchObject({
      attempt: 2,
      lastFailure: { applicationFailureInfo: { type: 'WorkerShutdown' } },
    });
    await running.terminate();
  });

  it('ends beside an activity that does not react to its cancellation, with 1 and one sentence', async () => {
    await using worker = await startPythonWorker(podOf('deaf', { AIWORKFLOW_GRACE_SECONDS: '1' }));
    await worker.printed('Polling');
    const running = await start('BlockWorkflow', 'deaf', 60);
    await activityStarted(running);
    worker.signal('SIGTERM');
    expect(await worker.ended(12_000)).toBe(1);
    expect(worker.output()).toContain('An activity still runs 5 s after its cancellation; it is given up');
    await running.terminate();
  });

  it('ends an idle worker with 0 every time', async () => {
    // The SDK alone crashes here once in ten ends: its threads outlive the interpreter.
    const ends = Array.from({ length: 12 }, async (_, number) => {
      await using worker = await startPythonWorker(podOf(`idle-${number % 3}`));
      await worker.printed('Polling');
      worker.signal(number % 2 === 0 ? 'SIGTERM' : 'SIGINT');
      return await worker.ended();
    });
    expect(await Promise.all(ends)).toEqual(Array(12).fill(0));
  });
});

(isRoot ? describe : describe.skip)('as process 1 of a container', () => {
  it('drains on SIGTERM', async () => {
    await using worker = await startPythonWorker({ ...podOf('one'), asProcessOne: true });
    await worker.printed('Polling');
    const running = await start('SleepWorkflow', 'one', 2);
    await activityStarted(running);
    worker.signal('SIGTERM');
    expect(await worker.ended()).toBe(0);
    const { raw } = await running.describe();
    expect(raw.pendingActivities).toHaveLength(0);
    await running.terminate();
  });

  it('ends on SIGTERM while its model still loads', async () => {
    const loads = 'import aiworkflow_worker, time; print("loading", flush=True); time.sleep(60)';
    await using worker = await startPythonWorker({ ...podOf('load'), args: ['-c', loads], asProcessOne: true });
    await worker.printed('loading');
    worker.signal('SIGTERM');
    expect(await worker.ended(5_000)).toBe(0);
  });
});

describe('the first connection', () => {
  const impatient = `from datetime import timedelta
from aiworkflow_worker import run_worker
run_worker(activities=[], connect_within=timedelta(seconds=1))`;

  it('is given up after a bounded time, with 1 and one sentence', async () => {
    const [port = 0] = await freePorts(1);
    const nobody = podOf('nobody', { TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
    await using worker = await startPythonWorker({ ...nobody, args: ['-c', impatient] });
    expect(await worker.ended(10_000)).toBe(1);
    expect(worker.output()).toContain(`Could not reach Temporal at 127.0.0.1:${port} within 1 s`);
    expect(worker.output()).not.toContain('Traceback');
  });

  it('is made once Temporal is up', async () => {
    const [port = 0] = await freePorts(1);
    await using worker = await startPythonWorker(podOf('early', { TEMPORAL_ADDRESS: `127.0.0.1:${port}` }));
    await worker.printed('is not there yet');
    await using _temporal = await listenFor(address, port);
    await worker.printed('Polling');
    expect(await (await start('AIWorkflow', 'early', 'bird')).result()).toBe('Inference result for: bird');
  });

  it('is waited for no longer than until SIGTERM', async () => {
    const [port = 0] = await freePorts(1);
    await using worker = await startPythonWorker(podOf('nobody', { TEMPORAL_ADDRESS: `127.0.0.1:${port}` }));
    await worker.printed('is not there yet');
    worker.signal('SIGTERM');
    expect(await worker.ended(5_000)).toBe(0);
  });
});
