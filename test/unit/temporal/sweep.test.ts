import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OperatorError } from '../../../src/errors.ts';
import { Sweep } from '../../../src/temporal/sweep.ts';
import { TrackedRuns } from '../../../src/temporal/tracked.ts';
import { aTemporal, grpcError, timestamp } from '../../builders/temporal.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const EVERY_MS = 60_000;
const GAP_MS = 1_000;

type Standing = 'live' | 'ended' | 'gone' | 'failing' | 'foreign';

/** A sweep over runs of which the test says how they stand. */
function aSweep() {
  const standing = new Map<string, Standing>();
  const looks: { readonly uid: string; readonly atMs: number }[] = [];
  const ended: string[] = [];
  const beganMs = performance.now();
  const client = aTemporal({
    describeWorkflowExecution: ({ execution }, { priority }) => {
      expect(priority).toBe('statistics');
      const uid = execution?.workflowId ?? '';
      looks.push({ uid, atMs: performance.now() - beganMs });
      return description(uid, standing.get(uid) ?? 'live');
    },
  });
  const runs = new TrackedRuns();
  const onEnded = (uid: string) => void ended.push(uid);
  const sweep = new Sweep({ client, runs, everyMs: EVERY_MS, gapMs: GAP_MS, onEnded });
  const track = (uid: string, how: Standing = 'live') => {
    standing.set(uid, how);
    runs.add({ uid, workflowID: uid, firstRunID: `first-${uid}`, runID: `first-${uid}` }, 0);
    sweep.add(uid);
  };
  const stopping = new AbortController();
  const running = sweep.run(stopping.signal);
  const stop = () => {
    stopping.abort();
    return running;
  };
  return { sweep, runs, track, standing, looks, ended, stop };
}

function description(uid: string, how: Standing) {
  if (how === 'failing') throw new OperatorError('TemporalUnavailable', 'away', { retry: 'backoff' });
  if (how === 'gone') {
    throw new OperatorError('NotFound', 'no such run', { retry: 'never', cause: grpcError(5, '') });
  }
  return {
    workflowExecutionInfo: {
      execution: { workflowId: uid, runId: `latest-${uid}` },
      firstRunId: how === 'foreign' ? 'first-of-somebody' : `first-${uid}`,
      status: how === 'ended' ? 2 : 1,
      startTime: timestamp(0),
    },
  };
}

describe('a sweep', () => {
  it('looks at every run once in its time, up to a fifth later, in the order in which they were added', async () => {
    const { track, looks, stop } = aSweep();
    for (const uid of ['a', 'b', 'c']) track(uid);
    await jest.advanceTimersByTimeAsync(EVERY_MS - 1);
    expect(looks).toEqual([]);
    await jest.advanceTimersByTimeAsync(EVERY_MS * 0.2 + 3 * GAP_MS + 1);
    expect(looks.map(({ uid }) => uid)).toEqual(['a', 'b', 'c']);
    await jest.advanceTimersByTimeAsync(2 * (EVERY_MS * 1.2 + 4 * GAP_MS));
    for (const uid of ['a', 'b', 'c']) {
      const times = looks.filter((look) => look.uid === uid).map(({ atMs }) => atMs);
      expect(times.length).toBeGreaterThanOrEqual(3);
      const gaps = times.slice(1).map((ms, index) => ms - times[index]!);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(EVERY_MS);
    }
    await stop();
  });

  it('makes no more than one call a gap, however many runs are due', async () => {
    const { track, looks, stop } = aSweep();
    for (let index = 0; index < 500; index += 1) track(String(index));
    await jest.advanceTimersByTimeAsync(EVERY_MS * 1.2 + 100 * GAP_MS);
    expect(looks.length).toBeGreaterThan(95);
    const gaps = looks.slice(1).map(({ atMs }, index) => atMs - looks[index]!.atMs);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(GAP_MS);
    await stop();
  });

  it('tells of what is not running any more, and of nothing else', async () => {
    const { track, ended, stop } = aSweep();
    track('live');
    track('ended', 'ended');
    track('gone', 'gone');
    track('failing', 'failing');
    track('foreign', 'foreign');
    await jest.advanceTimersByTimeAsync(EVERY_MS * 1.2 + 6 * GAP_MS);
    expect(ended.sort()).toEqual(['ended', 'foreign', 'gone']);
    await stop();
  });

  it('goes on after a run that cannot be looked at, and comes back to it', async () => {
    const { track, ended, looks, standing, stop } = aSweep();
    track('failing', 'failing');
    track('ended', 'ended');
    await jest.advanceTimersByTimeAsync(EVERY_MS * 1.2 + 3 * GAP_MS);
    expect(ended).toEqual(['ended']);
    standing.set('failing', 'ended');
    await jest.advanceTimersByTimeAsync(EVERY_MS * 1.2 + 3 * GAP_MS);
    expect(ended).toContain('failing');
    expect(looks.filter(({ uid }) => uid === 'failing').length).toBeGreaterThanOrEqual(2);
    await stop();
  });

  it('does not look at what is not tracked any more', async () => {
    const { track, looks, sweep, runs, stop } = aSweep();
    track('removed');
    track('untracked');
    sweep.remove('removed');
    runs.remove('removed');
    runs.remove('untracked');
    await jest.advanceTimersByTimeAsync(3 * EVERY_MS);
    expect(looks).toEqual([]);
    await stop();
  });

  it('puts off a run of which news came', async () => {
    const { track, looks, sweep, stop } = aSweep();
    track('a');
    await jest.advanceTimersByTimeAsync(EVERY_MS - GAP_MS);
    sweep.add('a');
    await jest.advanceTimersByTimeAsync(EVERY_MS - 1);
    expect(looks).toEqual([]);
    await jest.advanceTimersByTimeAsync(EVERY_MS * 0.2 + GAP_MS + 1);
    expect(looks).toHaveLength(1);
    await stop();
  });

  it('ends when it is told to, and leaves no timer', async () => {
    const { track, stop } = aSweep();
    track('a');
    await stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});
