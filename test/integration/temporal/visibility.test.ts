import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CompletionWatch } from '../../../src/temporal/completions.ts';
import { terminateRun } from '../../../src/temporal/control.ts';
import type { TrackedRun } from '../../../src/temporal/tracked.ts';
import { until } from '../../cluster/poll.ts';
import { aStart, connect, PREFIX, started, type TestClient } from './client.ts';
import { startServer, type TestServer } from './processes.ts';

/** IDs as users may choose them, however strange; quotes, backslashes and control characters are refused before. */
const STRANGE = [
  '(x) OR 1=1 --',
  'percent % and _ under',
  '日本語 😀 ünï',
  'a`b;c*?',
  `${PREFIX.slice(0, -1)}-but-not-its-prefix`,
  'x'.repeat(1_000),
];

let server: TestServer;
/** Starts and ends runs; whatever it calls is not the watch's. */
let hand: TestClient;
let watching: Watching | undefined;

beforeAll(async () => {
  server = await startServer();
  hand = connect(server.address);
});

afterEach(() => watching?.stop());

afterAll(async () => {
  hand.pool.close();
  await server.remove();
});

/** A watch with a client of its own, whom it hinted at, and all that it has called. */
interface Watching {
  readonly watch: CompletionWatch;
  readonly hinted: Set<string>;
  readonly calls: string[];
  stop(): Promise<void>;
}

async function aWatch(): Promise<Watching> {
  const { client, calls, pool } = connect(server.address);
  const hinted = new Set<string>();
  const watch = new CompletionWatch({ client, prefix: PREFIX, onHint: (uid) => hinted.add(uid) });
  await watch.start();
  const stop = async () => {
    await watch.stop();
    pool.close();
  };
  watching = { watch, hinted, calls, stop };
  return watching;
}

/** Starts that many runs that go on until somebody ends them; there is no worker. */
async function startRuns(count: number, ids: readonly string[] = []): Promise<TrackedRun[]> {
  return inBatches(Array.from({ length: count }), async (_, index) => {
    const workflowID = ids[index];
    const request = aStart('Unserved', [], workflowID === undefined ? {} : { workflowID });
    return { ...(await started(hand.client, request)), isFresh: true };
  });
}

const endRuns = (runs: readonly TrackedRun[]) =>
  inBatches(runs, (run) => terminateRun(hand.client, { ...run, reason: 'the test ends it' }));

async function inBatches<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += 20) {
    const batch = items.slice(at, at + 20);
    results.push(...(await Promise.all(batch.map((item, index) => work(item, at + index)))));
  }
  return results;
}

const untilHinted = (hinted: ReadonlySet<string>, runs: readonly TrackedRun[], withinMs = 60_000) =>
  until('a hint at each run that ended', withinMs, () => runs.every(({ uid }) => hinted.has(uid)));

describe('a completion watch on a real Temporal', () => {
  it('follows 300 ends with a query a second and no call for any of them, and hints at no live run', async () => {
    const { watch, hinted, calls } = await aWatch();
    const runs = await startRuns(320, STRANGE);
    for (const run of runs) watch.track(run);
    const [ending, living] = [runs.slice(0, 300), runs.slice(300)];
    await until('a first query', 10_000, () => calls.length > 0);
    calls.length = 0;
    const [beganMs, queriesBefore] = [performance.now(), watch.stats().queries];
    await endRuns(ending);
    await untilHinted(hinted, ending);
    const tookSeconds = (performance.now() - beganMs) / 1_000;

    expect(living.filter(({ uid }) => hinted.has(uid))).toEqual([]);
    expect(new Set(calls)).toEqual(new Set(['listWorkflowExecutions OK']));
    const queries = watch.stats().queries - queriesBefore;
    expect(queries).toBeLessThanOrEqual(tookSeconds + 2);
    // A query is one call for each 200 rows that are within its reach.
    expect(calls.length).toBeLessThanOrEqual((queries + 1) * 4);
    for (const { uid } of ending) watch.untrack(uid);
    await endRuns(living);
    await untilHinted(hinted, living);
  });

  it('tells after a restart of the operator what ended while it was down, by one look at what is live', async () => {
    const runs = await startRuns(
      60,
      STRANGE.map((id) => `${id.slice(0, 900)} again`),
    );
    const [ended, living] = [runs.filter((_, index) => index % 2 === 0), runs.filter((_, index) => index % 2 === 1)];
    await endRuns(ended);
    const { watch, hinted, calls } = await aWatch();
    for (const run of runs) watch.track({ ...run, isFresh: false });
    await untilHinted(hinted, ended, 20_000);
    expect(living.filter(({ uid }) => hinted.has(uid))).toEqual([]);
    expect(calls.length).toBeLessThanOrEqual(20);
    await endRuns(living);
    await untilHinted(hinted, living);
  });

  it('misses no end when Temporal is killed in the middle of them', async () => {
    const { watch, hinted } = await aWatch();
    const runs = await startRuns(60);
    for (const run of runs) watch.track(run);
    await endRuns(runs.slice(0, 30));
    await server.kill();
    await until('the watch to notice', 20_000, () => watch.stats().failures > 0);
    await server.startAgain();
    await endRuns(runs.slice(30, 50));
    await untilHinted(hinted, runs.slice(0, 50));
    expect(runs.slice(50).filter(({ uid }) => hinted.has(uid))).toEqual([]);
    await endRuns(runs.slice(50));
    await untilHinted(hinted, runs);
  });

  it('misses no end though others use up what Temporal allows of such queries for a while', async () => {
    const { watch, hinted, calls } = await aWatch();
    const runs = await startRuns(40);
    for (const run of runs) watch.track(run);
    const stopFlood = flood();
    try {
      await until('the limit to be felt', 60_000, () => calls.includes('listWorkflowExecutions RESOURCE_EXHAUSTED'));
      await endRuns(runs);
    } finally {
      await stopFlood();
    }
    await untilHinted(hinted, runs);
  });
});

/**
 * Lists runs as fast as Temporal lets it. Each list is small and is waited for:
 * a server whose store is SQLite answers none any more once some were given up.
 */
function flood(): () => Promise<void> {
  const { client, pool } = connect(server.address);
  const request = { query: "WorkflowId = 'none'", pageSize: 1 };
  const options = { what: 'list', priority: 'completion', deadlineMs: 30_000 } as const;
  let isOver = false;
  const listers = Array.from({ length: 60 }, async () => {
    while (!isOver) await client.call('listWorkflowExecutions', request, options).catch(() => undefined);
  });
  return async () => {
    isOver = true;
    await Promise.all(listers);
    pool.close();
  };
}
