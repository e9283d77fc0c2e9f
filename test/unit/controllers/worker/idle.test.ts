import { describe, expect, it } from '@jest/globals';
import { activityOf, rememberPod, type PodActivity } from '../../../../src/controllers/worker/idle.ts';
import type { PodMemory } from '../../../../src/controllers/worker/memory.ts';
import type { Beat, ObservedPod, Poller } from '../../../../src/controllers/worker/observed.ts';
import { aBeat, aPod, aQueue, NOW_MS } from '../../../builders/worker.ts';

interface Look {
  readonly atMs: number;
  readonly beats?: readonly Beat[];
  readonly pollers?: readonly Poller[];
}

/** What is thought of the pod after looks at these times, in milliseconds after noon. */
function after(looks: readonly Look[], pod: ObservedPod = aPod('p')) {
  let memory: PodMemory | undefined;
  let activity: PodActivity | undefined;
  for (const { atMs, beats = [], pollers = [] } of looks) {
    const queue = aQueue({ beats, pollers });
    memory = rememberPod(memory, pod, queue, NOW_MS + atMs);
    activity = activityOf(pod, memory, queue, NOW_MS + atMs);
  }
  return activity!;
}

const beat = (atMs: number, overrides: Partial<Beat> = {}) => [aBeat('p', { beatAtMs: NOW_MS + atMs, ...overrides })];
/** Looks every second at a worker that beats every second, unless the row says otherwise. */
const looks = (...rows: readonly Partial<Beat>[]): Look[] =>
  rows.map((row, index) => ({ atMs: index * 1000, beats: beat(index * 1000, row) }));

describe('a pod', () => {
  it.each<[string, 'busy' | 'idle' | 'unknown', readonly Look[]]>([
    ['idle after two quiet beats', 'idle', looks({}, {})],
    ['busy after one quiet beat: it may have begun since', 'busy', looks({})],
    [
      'busy when the same beat is read twice',
      'busy',
      [
        { atMs: 0, beats: beat(0) },
        { atMs: 900, beats: beat(0) },
      ],
    ],
    ['busy with an activity', 'busy', looks({}, {}, { usedSlots: 1 })],
    ['busy with a workflow task', 'busy', looks({}, {}, { usedWorkflowSlots: 1 })],
    ['busy when it processed something between two quiet beats', 'busy', looks({}, { processed: 1 })],
    ['idle again two quiet beats later', 'idle', looks({ usedSlots: 1 }, { processed: 1 }, { processed: 1 })],
    ['busy one quiet beat later', 'busy', looks({ usedSlots: 1 }, { processed: 1 })],
    ['busy while it shuts down', 'busy', looks({}, {}, { status: 'ShuttingDown' })],
    ['busy when its beat is stale', 'busy', [...looks({}, {}), { atMs: 7_000, beats: beat(1_000) }]],
    ['busy when it is listed no more', 'busy', [...looks({}, {}), { atMs: 7_000 }]],
    ['unknown when it has been silent for long', 'unknown', [...looks({}, {}), { atMs: 92_000 }]],
    ['unknown when it beats every minute', 'unknown', looks({ intervalMs: 60_000 }, { intervalMs: 60_000 })],
    ['busy when it beats every minute and works', 'busy', looks({ intervalMs: 60_000, usedSlots: 1 })],
    ['busy right after its start', 'busy', [{ atMs: 0 }]],
    ['unknown when it never beats', 'unknown', [{ atMs: 0 }, { atMs: 91_000 }]],
  ])('is %s', (_, state, rows) => {
    expect(after(rows).state).toBe(state);
  });

  it('is idle without a running container, whatever is not known of it', () => {
    expect(after([{ atMs: 0 }], aPod('p', { hasProcess: false })).state).toBe('idle');
  });

  it('is known by its host name as well as by its identity', () => {
    const byHost = (row: Partial<Beat>) => ({ identity: '1@p', hostName: 'p', ...row });
    const byIdentity = (row: Partial<Beat>) => ({ identity: 'p', hostName: 'other', ...row });
    expect(after(looks(byHost({}), byHost({}))).state).toBe('idle');
    expect(after(looks(byIdentity({}), byIdentity({}))).state).toBe('idle');
    expect(after(looks({ identity: 'q', hostName: 'q' }, { identity: 'q', hostName: 'q' })).state).toBe('busy');
  });

  it('is busy when one of its two workers is', () => {
    const two = (atMs: number, usedSlots: number) => [
      ...beat(atMs),
      ...beat(atMs, { instance: 'p#2', taskQueue: 'other', usedSlots }),
    ];
    expect(after([0, 1000].map((atMs) => ({ atMs, beats: two(atMs, 0) }))).state).toBe('idle');
    expect(after([0, 1000].map((atMs) => ({ atMs, beats: two(atMs, 1) }))).state).toBe('busy');
  });

  it('is not held back by the entry that its restarted container left behind', () => {
    const rows = [0, 8_000, 9_000].map((atMs) => ({
      atMs,
      beats: [...beat(0, { usedSlots: 1 }), ...(atMs > 0 ? beat(atMs, { instance: 'p#2' }) : [])],
    }));
    expect(after(rows).state).toBe('idle');
  });

  it('judges by our clock alone: a pod whose clock is hours off is idle all the same', () => {
    const skewMs = -7_200_000;
    const rows = [0, 1000].map((atMs) => ({ atMs, beats: beat(atMs + skewMs) }));
    expect(after(rows).state).toBe('idle');
  });

  it('measures the interval by its beats where it does not say it, and does not take our own slow looks for it', () => {
    const unsaid = (atMs: number) => beat(atMs, { intervalMs: undefined });
    const hot = [0, 2_000, 32_000, 62_000].map((atMs) => ({ atMs, beats: unsaid(atMs) }));
    expect(after(hot).state).toBe('idle');
    const slow = [0, 20_000, 40_000].map((atMs) => ({ atMs, beats: unsaid(atMs) }));
    expect(after(slow).state).toBe('unknown');
  });

  it('that polls and never beats takes tasks nobody counts', () => {
    const pollers = [{ identity: '1@p' }];
    expect(
      after([
        { atMs: 0, pollers },
        { atMs: 91_000, pollers },
      ]).isBlind,
    ).toBe(true);
    expect(after([{ atMs: 0 }, { atMs: 91_000 }]).isBlind).toBe(false);
  });
});
