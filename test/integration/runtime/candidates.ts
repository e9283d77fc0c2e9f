import type { KubeClient } from '../../../src/kube/client.ts';
import { configMaps } from '../../../src/kube/kinds.ts';
import { leaseStore } from '../../../src/kube/lease.ts';
import { LeaderElection, type ElectionTiming, type Term } from '../../../src/runtime/leader-election.ts';
import { clientOf, silent } from './follow.ts';
import { InjuredApiServer } from './injured.ts';

/** Short, so that tests are; in the same proportions as the real ones. */
export const timing: ElectionTiming = { leaseMs: 4_000, renewMs: 1_000, retryMs: 300, marginMs: 1_500, stopMs: 2_000 };

/** One who stands for election, has a way of his own to the API server, and writes all the time while he leads. */
export interface Candidate {
  readonly election: LeaderElection;
  readonly server: InjuredApiServer;
  readonly terms: Term[];
  /** The client of his last term, behind its fence. */
  readonly client: () => KubeClient;
  /** Reasons of the writes that failed. */
  readonly failures: string[];
  stop(): Promise<void>;
}

/** Where candidates compete. */
export interface Arena {
  readonly kubeconfig: string;
  readonly namespace: string;
}

/** Makes a candidate and has him stand. All of an arena write into the ConfigMap `ledger`, each with his name and epoch. */
export async function candidate(
  { kubeconfig, namespace }: Arena,
  identity: string,
  given: Partial<ElectionTiming> = {},
): Promise<Candidate> {
  const server = await InjuredApiServer.start(kubeconfig);
  const client = clientOf(server.url);
  const terms: Term[] = [];
  const failures: string[] = [];
  let fenced = client;
  const election = new LeaderElection({
    ...{ store: leaseStore(client, { namespace, name: 'lease' }), identity, log: silent },
    timing: { ...timing, ...given },
    lead: async (term) => {
      terms.push(term);
      fenced = client.fencedBy(term.signal, term.isHeld);
      await keepBooks(fenced, { namespace, identity, term }, failures);
    },
    onStuck: () => failures.push('stuck'),
  });
  await election.start();
  const stop = async () => {
    await election.stop();
    await client.close();
    await server.stop();
  };
  return { election, server, terms, client: () => fenced, failures, stop };
}

interface Book {
  readonly namespace: string;
  readonly identity: string;
  readonly term: Term;
}

/** One entry of the ledger. */
export async function enter(
  client: KubeClient,
  { namespace, identity, epoch }: { namespace: string; identity: string; epoch: number },
) {
  const metadata = { name: 'ledger', namespace, labels: { test: 'true' } };
  const data = { value: `${identity} ${epoch} ${Math.random()}` };
  await client.applyServerSide(
    configMaps,
    { metadata, data },
    { fieldManager: 'test', force: true, deadlineMs: 3_000 },
  );
}

async function keepBooks(client: KubeClient, { namespace, identity, term }: Book, failures: string[]): Promise<void> {
  while (!term.signal.aborted) {
    await enter(client, { namespace, identity, epoch: term.epoch }).catch((error: unknown) => {
      failures.push((error as { readonly reason: string }).reason);
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
