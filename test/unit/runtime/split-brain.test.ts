import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Clock } from '../../../src/runtime/clock.ts';
import { LeaderElection, type Term } from '../../../src/runtime/leader-election.ts';
import type { LeaseStore } from '../../../src/runtime/ports.ts';
import { MemoryLease, type Injuries } from './leases.ts';
import { memoryLog } from './sources.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const wholeFlock = ['a', 'b', 'c'] as const;
/** As the client does it: every call is given up after four seconds. */
const CALL_MS = 4_000;

/** Sleeps by the timers that the test moves. */
const clock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (signal.aborted) reject(signal.reason as Error);
      else setTimeout(resolve, ms);
    }),
};

function withDeadline(store: LeaseStore): LeaseStore {
  const within = (signal: AbortSignal) => {
    const controller = new AbortController();
    signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
    if (signal.aborted) controller.abort(signal.reason);
    setTimeout(() => controller.abort(new Error('late')), CALL_MS);
    return controller.signal;
  };
  return {
    read: (signal) => store.read(within(signal)),
    create: (record, signal) => store.create(record, within(signal)),
    update: (record, signal) => store.update(record, within(signal)),
    watch: (signal) => store.watch(signal),
  };
}

function candidate(lease: MemoryLease, identity: string) {
  const injuries: Injuries = { isAway: false, isHanging: false, isSilent: false, refused: 0, calls: 0 };
  const terms: Term[] = [];
  const election = new LeaderElection({
    ...{ store: withDeadline(lease.store(injuries)), identity, log: memoryLog(), clock, onStuck: () => undefined },
    lead: async (term) => {
      terms.push(term);
      await new Promise<void>((resolve) => term.signal.addEventListener('abort', () => resolve(), { once: true }));
    },
  });
  void election.start();
  return { election, injuries, isHeld: () => terms.at(-1)?.isHeld() ?? false };
}

const step = fc.record({
  who: fc.constantFrom(...wholeFlock),
  injury: fc.constantFrom('isAway' as const, 'isHanging' as const, 'isSilent' as const, 'none' as const),
  forMs: fc.integer({ min: 0, max: 20_000 }),
});

describe('several candidates for one Lease', () => {
  it('cost next to nothing while they stand by, and take over within the time of the Lease', async () => {
    const lease = new MemoryLease();
    const leader = candidate(lease, 'a');
    await jest.advanceTimersByTimeAsync(1_000);
    const standby = candidate(lease, 'b');
    await jest.advanceTimersByTimeAsync(10 * 60_000);
    expect([leader.isHeld(), standby.isHeld(), standby.injuries.calls]).toEqual([true, false, 2]);
    leader.injuries.isAway = true;
    await jest.advanceTimersByTimeAsync(15_100);
    expect([leader.isHeld(), standby.isHeld()]).toEqual([false, true]);
    const stopping = Promise.all([leader.election.stop(), standby.election.stop()]);
    await jest.advanceTimersByTimeAsync(10_000);
    await stopping;
  });

  it('never lead two at once, whatever keeps them from the Lease, and one leads again when nothing does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const lease = new MemoryLease();
        const flock = new Map(wholeFlock.map((name) => [name, candidate(lease, name)]));
        const leaders = () => [...flock.values()].filter(({ isHeld }) => isHeld()).length;
        const watchFor = async (ms: number) => {
          for (let passed = 0; passed < ms; passed += 250) {
            await jest.advanceTimersByTimeAsync(250);
            expect(leaders()).toBeLessThanOrEqual(1);
          }
        };
        for (const { who, injury, forMs } of steps) {
          const { injuries } = flock.get(who)!;
          Object.assign(injuries, { isAway: false, isHanging: false, isSilent: false });
          if (injury !== 'none') injuries[injury] = true;
          await watchFor(forMs);
        }
        for (const { injuries } of flock.values())
          Object.assign(injuries, { isAway: false, isHanging: false, isSilent: false });
        await watchFor(30_000);
        expect(leaders()).toBe(1);
        const stopping = Promise.all([...flock.values()].map(({ election }) => election.stop()));
        await jest.advanceTimersByTimeAsync(10_000);
        await stopping;
      }),
      { numRuns: 25 },
    );
  });
});
