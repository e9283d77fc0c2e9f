import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { budgetOfNamespace } from '../../../src/temporal/budget.ts';
import { ClientPool, type TemporalClient } from '../../../src/temporal/clients.ts';
import { CompletionWatch } from '../../../src/temporal/completions.ts';
import { terminateRun } from '../../../src/temporal/control.ts';
import { until } from '../../cluster/poll.ts';
import { aStart, started } from './client.ts';
import { startServer, type TestServer } from './processes.ts';

const TENANTS = 20;
let server: TestServer;
let pool: ClientPool;

beforeAll(async () => {
  server = await startServer();
  pool = new ClientPool({ identity: 'test', newBudget: () => budgetOfNamespace(200) });
});

afterAll(async () => {
  pool.close();
  await server.remove();
});

it('twenty connections to one Temporal namespace stay within its limit of queries, and each sees its run end', async () => {
  const tenants = await Promise.all(Array.from({ length: TENANTS }, (_, index) => aTenant(`team-${index}`)));
  try {
    // Several rounds of all: what is saved up at the beginning is used up by then.
    await until('every watch to have read often', 60_000, () =>
      Promise.resolve(tenants.every(({ rounds }) => rounds() >= 3)),
    );
    await Promise.all(tenants.map(({ end }) => end()));
    await until('a hint for everybody', 30_000, () => Promise.resolve(tenants.every(({ isHinted }) => isHinted())));
    expect(tenants.map(({ failures }) => failures())).toEqual(tenants.map(() => 0));
  } finally {
    await Promise.all(tenants.map(({ stop }) => stop()));
  }
});

/** A connection of its own in a namespace of its own, with one live run. */
async function aTenant(namespace: string) {
  const client: TemporalClient = pool.get(`TemporalConnection/${namespace}/temporal`, {
    address: server.address,
    namespace: 'default',
  });
  const prefix = `test/${namespace}/`;
  const run = await started(client, aStart('DeafWorkflow', [], { workflowID: `${prefix}run`, taskQueue: 'nobody' }));
  const hinted = new Set<string>();
  const watch = new CompletionWatch({ client, prefix, onHint: (uid) => void hinted.add(uid) });
  await watch.start();
  watch.track({ ...run, isFresh: true });
  return {
    rounds: () => watch.stats().queries,
    failures: () => watch.stats().failures,
    isHinted: () => hinted.has(run.uid),
    end: () => terminateRun(client, { ...run, reason: 'the test ends it' }),
    stop: () => watch.stop(),
  };
}
