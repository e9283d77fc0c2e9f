import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CustomIDs } from '../../../src/temporal/custom.ts';
import { Reading } from '../../../src/temporal/reading.ts';
import { TrackedRuns, type TrackedRun } from '../../../src/temporal/tracked.ts';
import { VisibilityStore, type StoredRun } from '../../builders/visibility.ts';

const never = new AbortController().signal;
/** The store's clock begins at noon; ours is whatever it is: no result here may depend on it. */
const NOON_MS = Date.parse('2020-01-01T12:00:00Z');
const at = (seconds: number) => NOON_MS + seconds * 1_000;

/** A reading of a store, what is tracked, and whom it hinted at. */
function aReading(store = new VisibilityStore()) {
  const runs = new TrackedRuns();
  const custom = new CustomIDs();
  const hints: string[] = [];
  const reading = new Reading({
    ...{ client: store.client, prefix: 'default/', runs, custom },
    hint: ({ run }) => hints.push(run.uid),
  });
  const track = (uid: string, extra: Partial<TrackedRun> = {}) => {
    const run = { uid, workflowID: `default/${uid}`, firstRunID: `first-${uid}`, runID: `first-${uid}`, ...extra };
    runs.add(run, reading.rounds);
    if (!run.workflowID.startsWith('default/')) custom.add(run.workflowID, reading.cursorHigh);
  };
  /** Puts a run of `uid` into the store. */
  const store1 = (uid: string, run: Omit<StoredRun, 'workflowID'> & { workflowID?: string }) =>
    void store.runs.push({ workflowID: `default/${uid}`, runID: `first-${uid}`, uid, ...run });
  return { store, reading, runs, custom, hints, track, put: store1 };
}

describe('reading what changed', () => {
  it('hints at each closed run of what is tracked, once, however often it is listed', async () => {
    const { reading, hints, track, put, store } = aReading();
    track('a', { isFresh: true });
    track('b', { isFresh: true });
    put('a', { startMs: at(0), closeMs: at(1) });
    put('b', { startMs: at(0) });
    put('stranger', { startMs: at(0), closeMs: at(1) });
    for (let round = 0; round < 3; round += 1) await reading.readChanges('long', never);
    expect(hints).toEqual(['a']);
    expect(store.queries).toHaveLength(3);
  });

  it.each([
    ['continued as new', 6, []],
    ['paused', 8, []],
    ['terminated', 5, ['a']],
    ['timed out', 7, ['a']],
  ])('of a run that was %s hints at %p', async (_, status, expected) => {
    const { reading, hints, track, put } = aReading();
    track('a', { isFresh: true });
    put('a', { startMs: at(0), status, ...(status !== 8 && { closeMs: at(1) }) });
    await reading.readChanges('long', never);
    expect(hints).toEqual(expected);
  });

  it('hints again at the next closed run of the same chain', async () => {
    const { reading, hints, track, put } = aReading();
    track('a', { isFresh: true });
    put('a', { startMs: at(0), closeMs: at(1), status: 5 });
    await reading.readChanges('long', never);
    put('a', { runID: 'after a reset', startMs: at(2), closeMs: at(3) });
    await reading.readChanges('long', never);
    expect(hints).toEqual(['a', 'a']);
  });

  it('tells of whoever tracks the same workflow ID, whose chain a row does not tell', async () => {
    const { reading, hints, track, put } = aReading();
    track('a', { isFresh: true, workflowID: 'shared' });
    track('b', { isFresh: true, workflowID: 'shared' });
    put('foreign', { workflowID: 'shared', runID: 'r', startMs: at(0), closeMs: at(1) });
    await reading.readChanges('long', never);
    expect(hints.sort()).toEqual(['a', 'b']);
  });

  it('begins at the latest close, and asks from the latest time in any row minus the overlap', async () => {
    const { reading, put, store } = aReading();
    put('old', { startMs: at(-9_000), closeMs: at(-5_000) });
    put('latest', { startMs: at(-200), closeMs: at(-100) });
    await reading.begin(never);
    await reading.begin(never);
    expect(reading.cursorHigh).toBe(at(-100));
    put('new', { startMs: at(7) });
    await reading.readChanges('short', never);
    await reading.readChanges('short', never);
    await reading.readChanges('long', never);
    expect(store.queries.map((query) => /CloseTime > '([^']+)'/.exec(query)?.[1])).toEqual([
      undefined,
      '2020-01-01T11:58:15.000Z',
      '2020-01-01T12:00:02.000Z',
      '2020-01-01T11:58:37.000Z',
    ]);
  });

  it('reads all pages before the cursor moves', async () => {
    const { reading, hints, track, put } = aReading(new VisibilityStore(2));
    const uids = ['a', 'b', 'c', 'd', 'e'];
    for (const [index, uid] of uids.entries()) {
      track(uid, { isFresh: true });
      put(uid, { startMs: at(0), closeMs: at(100 * index) });
    }
    await reading.readChanges('short', never);
    expect(hints.sort()).toEqual(uids);
  });

  it('takes the longest time that a row came behind others for its lag, and reaches back three times as far', async () => {
    const { reading, hints, track, put, store } = aReading();
    track('late', { isFresh: true });
    for (let round = 0; round < 3; round += 1) {
      put(`other-${round}`, { startMs: at(100 + round) });
      await reading.readChanges('short', never);
    }
    put('late', { startMs: at(0), closeMs: at(62) });
    await reading.readChanges('long', never);
    expect(hints).toEqual(['late']);
    expect(reading.lagMs).toBe(40_000);
    await reading.readChanges('long', never);
    expect(store.queries.at(-1)).toContain("CloseTime > '2020-01-01T11:59:42.000Z'");
  });

  it('always reaches far back where not all custom IDs fit into a query', async () => {
    const { reading, track, put, store } = aReading();
    put('x', { startMs: at(100) });
    await reading.readChanges('short', never);
    for (let index = 0; index < 201; index += 1) track(String(index), { workflowID: `custom-${index}.` });
    await reading.readChanges('short', never);
    expect(store.queries.at(-1)).toContain("CloseTime > '2020-01-01T12:00:10.000Z'");
  });

  it('takes no run for late that closed before it was tracked', async () => {
    const { reading, track, put } = aReading();
    put('x', { startMs: at(100) });
    for (let round = 0; round < 3; round += 1) await reading.readChanges('short', never);
    put('early', { startMs: at(0), closeMs: at(50) });
    track('early');
    await reading.readChanges('long', never);
    expect(reading.lagMs).toBe(0);
  });

  it('on another cluster knows no times', async () => {
    const { reading, put, store } = aReading();
    put('x', { startMs: at(100) });
    await reading.readChanges('short', never);
    reading.reset();
    await reading.readChanges('short', never);
    expect(store.queries.at(-1)).toBe("(WorkflowId STARTS_WITH 'default/')");
  });

  it('finds every end within a long query of its appearing, by the clock of the store alone', async () => {
    const run = fc.record({
      startS: fc.integer({ min: 0, max: 300 }),
      tookS: fc.integer({ min: 0, max: 300 }),
      lateByMs: fc.oneof(fc.nat(2_000), fc.nat(55_000)),
      isCustom: fc.boolean(),
    });
    const justAfterALongQuery = [
      { startS: 20, tookS: 78, lateByMs: 52_001, isCustom: false },
      { startS: 149, tookS: 9, lateByMs: 0, isCustom: false },
      { startS: 29, tookS: 74, lateByMs: 0, isCustom: false },
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 25 }), async (all) => {
        const { store, reading, hints, track, put } = aReading();
        for (const [index, { startS, tookS, lateByMs, isCustom }] of all.entries()) {
          const workflowID = isCustom ? `custom-${index}` : `default/${index}`;
          track(String(index), { isFresh: true, workflowID });
          const times = { startMs: at(startS), closeMs: at(startS + tookS) };
          put(String(index), { workflowID, ...times, visibleAtMs: times.closeMs + lateByMs });
        }
        for (let second = 0; second <= 690; second += 3) {
          store.nowMs = at(second);
          await reading.readChanges(second % 30 === 0 ? 'long' : 'short', never);
        }
        expect(hints.sort()).toEqual(all.map((_, index) => String(index)).sort());
      }),
      { numRuns: 12, examples: [[justAfterALongQuery]] },
    );
  });
});

describe('listing what is live', () => {
  it('hints at what is not listed, of those of which nobody knew whether they had ended', async () => {
    const { reading, hints, track, put } = aReading();
    for (const uid of ['live', 'paused', 'ended']) track(uid);
    track('fresh', { isFresh: true });
    track('custom', { workflowID: 'mine' });
    put('live', { startMs: at(0) });
    put('paused', { startMs: at(0), status: 8 });
    put('ended', { startMs: at(0), closeMs: at(1) });
    put('custom', { workflowID: 'mine', startMs: at(0) });
    await reading.listLive(never);
    expect(hints).toEqual(['ended']);
    await reading.listLive(never);
    expect(hints).toEqual(['ended']);
  });

  it('does not take a foreign run of the same workflow ID for ours', async () => {
    const { reading, hints, track, put } = aReading();
    track('ours');
    put('theirs', { workflowID: 'default/ours', runID: 'r', startMs: at(5) });
    await reading.listLive(never);
    expect(hints).toEqual(['ours']);
  });

  it('names custom IDs in as many queries as they need', async () => {
    const { reading, hints, track, put, store } = aReading();
    for (let index = 0; index < 401; index += 1) {
      track(String(index), { workflowID: `custom-${index}.` });
      if (index !== 300) put(String(index), { workflowID: `custom-${index}.`, startMs: at(0) });
    }
    await reading.listLive(never);
    expect(hints).toEqual(['300']);
    expect(store.queries).toHaveLength(3);
  });
});
