import { afterEach, describe, expect, it } from '@jest/globals';
import { LeaderElection, type Term } from '../../../src/runtime/leader-election.ts';
import type { LeaseRecord, LeaseStore, Log } from '../../../src/runtime/ports.ts';
import { until } from '../../cluster/poll.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const timing = { leaseMs: 1_000, renewMs: 50, retryMs: 20, marginMs: 200, stopMs: 200 };

/** A Lease in memory that can be stolen and cut off. */
class MemoryLease {
  record: LeaseRecord | undefined;
  isAway = false;
  private version = 0;
  private readonly wake = new Set<() => void>();

  write(record: Omit<LeaseRecord, 'resourceVersion'>): LeaseRecord {
    this.version += 1;
    this.record = { ...record, resourceVersion: String(this.version) };
    for (const tell of this.wake) tell();
    return this.record;
  }

  store(): LeaseStore {
    const reach = () => {
      if (this.isAway) throw new Error('the API server is away');
    };
    return {
      read: async () => (reach(), Promise.resolve(this.record)),
      create: async (record) => (reach(), Promise.resolve(this.record ? false : this.write(record))),
      update: async (record) => {
        reach();
        return Promise.resolve(this.record?.resourceVersion === record.resourceVersion && this.write(record));
      },
      watch: (signal) => this.changes(signal),
    };
  }

  private async *changes(signal: AbortSignal): AsyncIterable<LeaseRecord | undefined> {
    while (!signal.aborted) {
      yield this.record;
      await new Promise<void>((resolve) => {
        this.wake.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

const elections: LeaderElection[] = [];
afterEach(() => Promise.all(elections.splice(0).map((election) => election.stop())));

function candidate(lease: MemoryLease, identity: string, options: { isDeaf?: boolean } = {}) {
  const terms: Term[] = [];
  let stuck = 0;
  const letGo = Promise.withResolvers<undefined>();
  const election = new LeaderElection({
    ...{ store: lease.store(), identity, log: silent, timing },
    lead: async (term) => {
      terms.push(term);
      if (options.isDeaf) return void (await letGo.promise);
      await new Promise<void>((resolve) => term.signal.addEventListener('abort', () => resolve(), { once: true }));
    },
    onStuck: () => {
      stuck += 1;
      letGo.resolve(undefined);
    },
  });
  elections.push(election);
  void election.start();
  return { election, terms, stuck: () => stuck };
}

const leads = (who: { election: LeaderElection }) => until('it to lead', 5_000, () => who.election.isLeader);

describe('leader election', () => {
  it('has one leader, and the other takes over at once when it steps down', async () => {
    const lease = new MemoryLease();
    const first = candidate(lease, 'first');
    await leads(first);
    const second = candidate(lease, 'second');
    const startedAt = performance.now();
    await first.election.stop();
    await leads(second);
    expect(performance.now() - startedAt).toBeLessThan(timing.leaseMs);
    expect(first.terms[0]?.signal.aborted).toBe(true);
  });

  it('waits until the Lease of a dead leader has not changed for its whole duration, whatever the times in it say', async () => {
    const lease = new MemoryLease();
    const longAgo = '2001-01-01T00:00:00.000000Z';
    const dead = { holder: 'dead', leaseDurationSeconds: 1, acquireTime: longAgo, renewTime: longAgo, transitions: 3 };
    lease.write(dead);
    const startedAt = performance.now();
    const other = candidate(lease, 'other');
    await leads(other);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(other.terms[0]?.epoch).toBe(4);
  });

  it('takes its own Lease back at once after a restart', async () => {
    const lease = new MemoryLease();
    const now = new Date().toISOString();
    lease.write({ holder: 'me', leaseDurationSeconds: 60, acquireTime: now, renewTime: now, transitions: 0 });
    await leads(candidate(lease, 'me'));
  });

  it('ends the term when the Lease is stolen, and stands by again', async () => {
    const lease = new MemoryLease();
    const me = candidate(lease, 'me');
    await leads(me);
    const thief = { ...lease.record, holder: 'thief', leaseDurationSeconds: 1 } as LeaseRecord;
    lease.write(thief);
    await until('the term to end', 5_000, () => me.terms[0]?.signal.aborted);
    expect(lease.record?.holder).toBe('thief');
    await until('a second term', 5_000, () => me.terms.length === 2);
  });

  it('ends the term before the Lease runs out when it cannot be renewed, and leads again later', async () => {
    const lease = new MemoryLease();
    const me = candidate(lease, 'me');
    await leads(me);
    lease.isAway = true;
    const startedAt = performance.now();
    await until('the term to end', 5_000, () => me.terms[0]?.signal.aborted);
    expect(performance.now() - startedAt).toBeLessThan(timing.leaseMs);
    lease.isAway = false;
    await until('a second term', 5_000, () => me.terms.length === 2);
  });

  it('keeps the term when somebody changes no more than a label of the Lease', async () => {
    const lease = new MemoryLease();
    const me = candidate(lease, 'me');
    await leads(me);
    const before = lease.record as LeaseRecord;
    lease.write(before);
    await until('a renewal', 5_000, () => Number(lease.record?.resourceVersion) > Number(before.resourceVersion) + 2);
    expect(me.terms).toHaveLength(1);
    expect(me.election.isLeader).toBe(true);
  });

  it('has the process ended when the work does not stop', async () => {
    const lease = new MemoryLease();
    const me = candidate(lease, 'me', { isDeaf: true });
    await leads(me);
    await me.election.stop();
    expect(me.stuck()).toBe(1);
  });
});
