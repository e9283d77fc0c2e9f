import { randomUUID } from 'node:crypto';
import type { OnCall } from '../../../src/temporal/call.ts';
import { ClientPool, type TemporalClient } from '../../../src/temporal/clients.ts';
import { endOf, type Chain, type RunEnd } from '../../../src/temporal/ended.ts';
import { startRun, type StartedRun, type StartRunRequest } from '../../../src/temporal/start.ts';
import { until } from '../../cluster/poll.ts';

/** A budget without limits. */
export const unlimited = { take: () => Promise.resolve() };

/** The prefix of every workflow ID here, as of a cluster called `test`. */
export const PREFIX = 'test/';

/** A client of a server, and all that it has called. */
export interface TestClient {
  readonly pool: ClientPool;
  readonly client: TemporalClient;
  /** Every attempt so far, e.g. `startWorkflowExecution OK`. */
  readonly calls: string[];
}

/** Connects to the namespace `default`. */
export function connect(address: string, namespace = 'default'): TestClient {
  const calls: string[] = [];
  const onCall: OnCall = ({ method, code }) => calls.push(`${method} ${code}`);
  const pool = new ClientPool({ identity: 'test', newBudget: () => unlimited, onCall });
  return { pool, client: pool.get('TemporalConnection/test/test', { address, namespace }), calls };
}

/** A start as the operator makes it, of a resource with a uid and a name of its own. */
export function aStart(
  type: string,
  args: readonly unknown[],
  overrides: Partial<StartRunRequest> = {},
): StartRunRequest {
  const uid = randomUUID();
  const workflowID = `${PREFIX}team-a/${type.toLowerCase()}-${uid}`;
  return {
    workflowID,
    type,
    taskQueue: 'queue',
    args,
    requestID: uid,
    memo: { 'aiworkflow.dev/uid': uid, 'aiworkflow.dev/resource': workflowID },
    reusePolicy: 'RejectDuplicate',
    conflictPolicy: 'Fail',
    ...overrides,
  };
}

/** Starts a run that must be new. */
export async function started(
  client: TemporalClient,
  request: StartRunRequest,
): Promise<Chain & { readonly uid: string }> {
  const run = await startRun(client, request);
  if (run.kind !== 'started' || !run.isNew) throw new Error(`Not started: ${JSON.stringify(run)}`);
  return { uid: request.requestID, workflowID: request.workflowID, runID: run.runID, firstRunID: run.firstRunID };
}

/** How the chain ended, once it has. */
export function ended(client: TemporalClient, chain: Chain, withinMs = 20_000): Promise<RunEnd> {
  return until(`the end of ${chain.workflowID}`, withinMs, async () => {
    const end = await endOf(client, chain);
    return end.kind !== 'live' && end;
  });
}

export type { StartedRun };
