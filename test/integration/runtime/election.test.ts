import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { KubeClient } from '../../../src/kube/client.ts';
import { connectKube } from '../../../src/kube/connect.ts';
import { configMaps, leases } from '../../../src/kube/kinds.ts';
import { until } from '../../cluster/poll.ts';
import { cluster, freshNamespace } from '../../cluster/shared.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { candidate, enter, timing, type Arena, type Candidate } from './candidates.ts';
import { clientOf, follow, type Following } from './follow.ts';

let shared: LocalCluster;
let direct: KubeClient;
let arena: Arena;
let ledger: Following;
/** Names and epochs in the order in which the API server took them. */
let entries: string[];
let all: Candidate[] = [];

beforeAll(async () => {
  shared = await cluster();
  direct = connectKube({ kubeconfig: shared.kubeconfig });
});
beforeEach(async () => {
  arena = { kubeconfig: shared.kubeconfig, namespace: await freshNamespace(shared, 'election') };
  ledger = await follow(direct, arena.namespace);
  entries = [];
  ledger.store.onChange(({ after }) => entries.push(after?.data?.['value']?.split(' ').slice(0, 2).join(' ') ?? ''));
});
afterEach(async () => {
  for (const { server } of all) server.heal();
  await Promise.all(all.map((one) => one.stop()));
  all = [];
  await ledger.stop();
});
afterAll(() => direct.close());

async function stand(identity: string, given: Parameters<typeof candidate>[2] = {}): Promise<Candidate> {
  const one = await candidate(arena, identity, given);
  all.push(one);
  return one;
}

const leads = (one: Candidate, ms = 20_000) => until('it to lead', ms, () => one.terms.at(-1)?.isHeld() === true);
const holder = async () =>
  (await direct.get(leases, { namespace: arena.namespace, name: 'lease' })).spec?.holderIdentity;
/** The writers in their order, each once for as long as he wrote alone. */
const reigns = () => entries.filter((entry, index) => entry !== entries[index - 1]);

describe('candidates for a Lease on a real API server', () => {
  it('hand over in less than two seconds when the leader steps down', async () => {
    const a = await stand('a');
    await leads(a);
    const b = await stand('b');
    await until('the other to stand by', 10_000, () => b.election.isStanding);
    const startedAt = performance.now();
    await a.election.stop();
    await leads(b);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await until('the other to write', 10_000, () => reigns().length === 2);
    expect([reigns(), a.terms[0]?.isHeld()]).toEqual([['a 0', 'b 1'], false]);
  });

  it('never write in turns when the leader is cut off without a word', async () => {
    const a = await stand('a');
    await leads(a);
    const b = await stand('b');
    await until('the other to stand by', 10_000, () => b.election.isStanding);
    a.server.isStalled = true;
    await until('the other to lead', 20_000, () => {
      const isSplit = a.terms[0]?.isHeld() && b.terms[0]?.isHeld();
      expect(isSplit ?? false).toBe(false);
      return b.terms[0]?.isHeld();
    });
    const late = { namespace: arena.namespace, identity: 'late', epoch: 0 };
    a.server.heal();
    await expect(enter(a.client(), late)).rejects.toMatchObject({ reason: 'LeadershipLost' });
    await until('a few more entries', 10_000, () => reigns().length === 2 && entries.length > 20);
    expect([reigns(), await holder(), a.election.isLeader]).toEqual([['a 0', 'b 1'], 'b', false]);
  });

  it('end a term before the Lease runs out when the API server is away for longer, and begin another afterwards', async () => {
    const a = await stand('a');
    await leads(a);
    a.server.isDown = true;
    a.server.cut();
    const startedAt = performance.now();
    await until('the term to end', 10_000, () => a.terms[0]?.signal.aborted);
    expect(performance.now() - startedAt).toBeLessThan(timing.leaseMs);
    a.server.heal();
    await until('another term', 10_000, () => a.terms.length === 2);
    await leads(a);
  });

  it('end a term as soon as they see that somebody took the Lease away', async () => {
    const a = await stand('a');
    await leads(a);
    const lease = { namespace: arena.namespace, name: 'lease' };
    await direct.patchMerge(leases, lease, { spec: { holderIdentity: 'a person', leaseDurationSeconds: 1 } });
    await until('the term to end', 5_000, () => a.terms[0]?.signal.aborted);
    await until('another term', 10_000, () => a.terms.length === 2);
    expect(a.terms[1]?.epoch).toBe(1);
  });

  it('take their own Lease back at once when they come again, however long it would still last', async () => {
    const first = await stand('same', { leaseMs: 60_000 });
    await leads(first);
    first.server.isDown = true; // as if killed: nothing is given back
    first.server.cut();
    const startedAt = performance.now();
    await leads(await stand('same', { leaseMs: 60_000 }));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('go on leading while the API server is slow and the processor busy', async () => {
    // The way through the proxy is part of this busy process, too.
    const a = await stand('a', { leaseMs: 8_000 });
    await leads(a);
    a.server.delayMs = 200;
    const busyUntil = performance.now() + 9_000;
    while (performance.now() < busyUntil) {
      const pauseAt = performance.now() + 50;
      while (performance.now() < pauseAt);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect([a.terms.length, a.terms[0]?.isHeld()]).toEqual([1, true]);
  });

  it('write nothing more when they come to themselves after the Lease has run out', async () => {
    const a = await stand('a');
    await leads(a);
    const asleepUntil = performance.now() + timing.leaseMs;
    while (performance.now() < asleepUntil);
    // No timer and no watch had its turn yet: nobody has told the client.
    expect(a.terms[0]?.signal.aborted).toBe(false);
    const late = a.client().create(configMaps, { metadata: { name: 'late', namespace: arena.namespace } });
    await expect(late).rejects.toMatchObject({ reason: 'LeadershipLost' });
    expect(a.terms[0]?.signal.aborted).toBe(true);
    // It was not even sent: a call that came after it has been answered.
    const same = clientOf(a.server.url);
    await same.get(leases, { namespace: arena.namespace, name: 'lease' });
    await same.close();
    expect(a.server.asked.filter((call) => call === `POST /api/v1/namespaces/${arena.namespace}/configmaps`)).toEqual(
      [],
    );
  });
});
