import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OperatorError } from '../../../src/errors.ts';
import { CompletionWatch } from '../../../src/temporal/completions.ts';
import { aTemporal } from '../../builders/temporal.ts';
import { VisibilityStore } from '../../builders/visibility.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const SECOND = 1_000;

/** A watch over a store that can be taken away; ended by the test. */
function aWatch() {
  const store = new VisibilityStore();
  const temporal = { isAway: false, address: 'temporal:7233' };
  const client = aTemporal({
    listWorkflowExecutions: async (...args) => {
      if (temporal.isAway) throw new OperatorError('TemporalUnavailable', 'away', { retry: 'backoff' });
      return store.client.call('listWorkflowExecutions', ...args);
    },
  });
  Object.defineProperty(client, 'address', { get: () => temporal.address });
  const hints: string[] = [];
  const warnings: string[] = [];
  const watch = new CompletionWatch({
    client,
    prefix: 'default/',
    onHint: (uid) => hints.push(uid),
    log: { warn: (message) => warnings.push(message) },
  });
  const track = (uid: string, isFresh = true) =>
    watch.track({ uid, workflowID: `default/${uid}`, firstRunID: `first-${uid}`, runID: `first-${uid}`, isFresh });
  const put = (uid: string, closeMs?: number) => {
    const run = { workflowID: `default/${uid}`, runID: `first-${uid}`, uid, startMs: Date.now() };
    store.runs.push({ ...run, ...(closeMs !== undefined && { closeMs }) });
  };
  store.nowMs = Number.MAX_SAFE_INTEGER;
  return { watch, store, temporal, hints, warnings, track, put };
}

describe('a completion watch', () => {
  it('asks once a second while anything is tracked, however much it is', async () => {
    const { watch, store, track, put } = aWatch();
    for (let index = 0; index < 200; index += 1) {
      track(String(index));
      put(String(index));
    }
    await watch.start();
    await jest.advanceTimersByTimeAsync(SECOND);
    store.queries.length = 0;
    await jest.advanceTimersByTimeAsync(60 * SECOND);
    expect(store.queries.length).toBeLessThanOrEqual(61);
    expect(store.queries.length).toBeGreaterThanOrEqual(55);
    await watch.stop();
  });

  it('asks every 30 seconds while nothing is tracked, and within one again when something is', async () => {
    const { watch, store, track, put, hints } = aWatch();
    put('earlier', Date.now());
    await watch.start();
    await jest.advanceTimersByTimeAsync(SECOND);
    store.queries.length = 0;
    await jest.advanceTimersByTimeAsync(299 * SECOND);
    expect(store.queries).toHaveLength(10);
    track('a');
    put('a', Date.now());
    await jest.advanceTimersByTimeAsync(1.1 * SECOND);
    expect(hints).toEqual(['a']);
    await watch.stop();
  });

  it('tells what ended before it was tracked, and not what is live', async () => {
    const { watch, track, put, hints } = aWatch();
    track('ended', false);
    track('live', false);
    put('live');
    put('ended', Date.now() - 1);
    await watch.start();
    await jest.advanceTimersByTimeAsync(2 * SECOND);
    expect(new Set(hints)).toEqual(new Set(['ended']));
    await watch.stop();
  });

  it('waits longer and longer while Temporal is away, says so once, and then tells what ended meanwhile', async () => {
    const { watch, store, temporal, track, put, hints, warnings } = aWatch();
    track('a');
    put('a');
    put('other', Date.now());
    await watch.start();
    await jest.advanceTimersByTimeAsync(5 * SECOND);
    temporal.isAway = true;
    await jest.advanceTimersByTimeAsync(300 * SECOND);
    expect(watch.stats().failures).toBeLessThan(40);
    expect(watch.stats().failures).toBeGreaterThan(15);
    expect(warnings).toEqual(['Could not read which runs have ended']);
    expect(hints).toEqual([]);
    // It ended in the outage, and its row shows no time that a cursor would meet.
    store.runs.splice(0, 1);
    temporal.isAway = false;
    await jest.advanceTimersByTimeAsync(20 * SECOND);
    expect(hints).toEqual(['a']);
    await watch.stop();
  });

  it('looks at everything anew where the client leads to another address', async () => {
    const { watch, store, temporal, track, put, hints } = aWatch();
    track('a');
    put('a');
    await watch.start();
    await jest.advanceTimersByTimeAsync(3 * SECOND);
    expect(hints).toEqual([]);
    store.runs.length = 0;
    temporal.address = 'elsewhere:7233';
    await jest.advanceTimersByTimeAsync(3 * SECOND);
    expect(hints).toEqual(['a']);
    await watch.stop();
  });

  it('does not tell of what is untracked, nor after it was stopped', async () => {
    const { watch, track, put, hints } = aWatch();
    track('untracked');
    track('late');
    await watch.start();
    await jest.advanceTimersByTimeAsync(SECOND);
    watch.untrack('untracked');
    put('untracked', Date.now());
    await jest.advanceTimersByTimeAsync(3 * SECOND);
    await watch.stop();
    put('late', Date.now());
    await jest.advanceTimersByTimeAsync(60 * SECOND);
    expect(hints).toEqual([]);
    expect(watch.stats()).toMatchObject({ tracked: 1, hints: 0 });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tells of each closed run once, and a later run of the chain costs nothing to tell it of', async () => {
    const { watch, track, put, hints } = aWatch();
    track('a');
    put('a', Date.now());
    await watch.start();
    await jest.advanceTimersByTimeAsync(90 * SECOND);
    track('a');
    await jest.advanceTimersByTimeAsync(90 * SECOND);
    expect(hints).toEqual(['a']);
    await watch.stop();
  });
});
