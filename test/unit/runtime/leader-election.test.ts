import { afterEach, describe, expect, it } from '@jest/globals';
import { LeaderElection, type Term } from '../../../src/runtime/leader-election.ts';
import type { LeaseRecord, Log } from '../../../src/runtime/ports.ts';
import { until } from '../../cluster/poll.ts';
import { MemoryLease } from './leases.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const timing = { leaseMs: 1_000, renewMs: 50, retryMs: 20, marginMs: 200, stopMs: 200 };

const elections: LeaderElection[] = [];
afterEach(() => Promise.all(elections.splice(0).map((election) => election.stop())));

function candidate(
  lease: MemoryLease,
  identity: string,
  options: { isDeaf?: boolean; isBroken?: boolean; timing?: typeof timing } = {},
) {
  const terms: Term[] = [];
  let stuck = 0;
  const letGo = Promise.withResolvers<undefined>();
  const election = new LeaderElection({
    ...{ store: lease.store(), identity, log: silent, timing: options.timing ?? timing },
    lead: async (term) => {
      terms.push(term);
      if (options.isBroken) throw new Error('cannot lead');
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

  it('ends the term before the Lease runs out also when renewing it hangs', async () => {
    const lease = new MemoryLease();
    const me = candidate(lease, 'me');
    await leads(me);
    lease.isHanging = true;
    const lastRenewal = performance.now();
    await until('the term to end', 5_000, () => me.terms[0]?.signal.aborted);
    expect(performance.now() - lastRenewal).toBeLessThan(timing.leaseMs);
    expect(me.terms[0]?.isHeld()).toBe(false);
    lease.isHanging = false;
  });

  it('gives the Lease back also when it does not know whether its last renewal was done', async () => {
    const lease = new MemoryLease();
    const me = candidate(lease, 'me');
    await leads(me);
    lease.isSilent = true;
    const before = lease.record?.resourceVersion;
    await until('a renewal without an answer', 5_000, () => lease.record?.resourceVersion !== before);
    const stopping = me.election.stop();
    lease.isSilent = false;
    await stopping;
    expect(lease.record?.holder).toBe('');
  });

  it('does not try in a tight loop to lead when its work fails at once', async () => {
    const lease = new MemoryLease();
    const slow = { ...timing, retryMs: 300 };
    const me = candidate(lease, 'me', { isBroken: true, timing: slow });
    await until('two terms', 5_000, () => me.terms.length >= 2);
    const before = me.terms.length;
    await until('a second to pass', 5_000, secondFrom(performance.now()));
    expect(me.terms.length - before).toBeLessThanOrEqual(5);
  });

  it('says whether it stands at all: not as long as the Lease cannot be read', async () => {
    const lease = new MemoryLease();
    lease.isAway = true;
    const first = candidate(lease, 'first');
    await until('a failure', 5_000, () => lease.refused > 0);
    expect(first.election.isStanding).toBe(false);
    lease.isAway = false;
    await leads(first);
    const second = candidate(lease, 'second');
    await until('the other to stand by', 5_000, () => second.election.isStanding);
    expect([first.election.isStanding, second.election.isLeader]).toEqual([true, false]);
  });
});

const secondFrom = (startedAt: number) => () => performance.now() - startedAt > 1_000;
