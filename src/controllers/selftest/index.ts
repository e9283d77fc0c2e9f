import { setTimeout as delay } from 'node:timers/promises';
import { AIWorkflow } from '../../api/aiworkflow.ts';
import { OperatorError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { customKind } from '../../kube/kinds.ts';
import type { Log } from '../../runtime/ports.ts';

/** What `helm test` asks, and how. */
export interface SelfTest {
  /** The operator's readiness page, through its Service. */
  readonly url: string;
  /** Where an AIWorkflow is tried. */
  readonly namespace: string;
  /** Ends the test as failed. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

const RETRY_MS = 500;

/**
 * Whether an installation works: the operator says through its Service that it is ready, and the API server takes an
 * AIWorkflow through schema and admission policies. Keeps nothing. Throws with what is wrong.
 */
export async function selfTest(kube: KubeClient, { url, namespace, signal, log }: SelfTest): Promise<void> {
  await waitReady(url, signal);
  log.info('the operator is ready', { url });
  const spec = { workflow: { type: 'SelfTest', taskQueue: 'self-test' } };
  const run = { metadata: { namespace, name: 'self-test' }, spec };
  await kube.create(customKind(AIWorkflow), run, { dryRun: true, signal });
  log.info('the API server takes an AIWorkflow', { namespace });
}

/** A Service that was made a moment ago may not lead anywhere yet. */
async function waitReady(url: string, signal: AbortSignal): Promise<void> {
  let problem = 'no answer';
  for (;;) {
    const answer = await ask(url, signal);
    if (answer === 'ready') return;
    // The abortion of the last try tells less than what came before it.
    if (signal.aborted) break;
    problem = answer;
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  throw new OperatorError('PodsNotReady', `The operator is not ready: ${problem}`, { retry: 'never' });
}

async function ask(url: string, signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(url, { signal });
    return response.ok ? 'ready' : `${url} answers ${response.status} ${(await response.text()).slice(0, 500)}`;
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    return `${url}: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}
