import { AIWorkflow } from '../../api/aiworkflow.ts';
import { keyOf } from '../../api/resource.ts';
import { asOperatorError, OperatorError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { customKind } from '../../kube/kinds.ts';
import type { Applied } from '../../runtime/reconcile.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import { cancelRun, terminateRun } from '../../temporal/control.ts';
import type { RunWorld } from './world.ts';
import { FINALIZER, type RunAction } from './plan.ts';
import { startOnce } from './start.ts';

/** What applying needs from outside. */
export type RunEffects = Pick<RunWorld, 'clusterName' | 'memory' | 'tracker' | 'now'> & {
  readonly kube: Pick<KubeClient, 'addFinalizer' | 'removeFinalizer'>;
};

/** A run that could not be asked to end is asked again this much later. */
const AGAIN_MS = 5_000;

type AppliedRun = Applied<AIWorkflow, RunAction>;

const aiworkflows = customKind(AIWorkflow);

/** Performs one action. Doing it twice is as good as doing it once. */
export async function applyRun(
  effects: RunEffects,
  resource: AIWorkflow,
  action: RunAction,
  signal: AbortSignal,
): Promise<AppliedRun> {
  switch (action.type) {
    case 'addFinalizer':
      return { resource: await effects.kube.addFinalizer(aiworkflows, resource, FINALIZER, { signal }) };
    case 'removeFinalizer':
      return { resource: await effects.kube.removeFinalizer(aiworkflows, resource, FINALIZER, { signal }) };
    case 'start':
      return start(effects, resource, action, signal);
    case 'cancel':
    case 'terminate':
      return end(effects, resource, action, signal);
  }
}

async function start(
  effects: RunEffects,
  resource: AIWorkflow,
  action: Extract<RunAction, { type: 'start' }>,
  signal: AbortSignal,
): Promise<AppliedRun> {
  const { uid } = resource.metadata;
  const through = effects.memory.seen(uid);
  const client = clientOf(effects, uid);
  const { clusterName, now } = effects;
  const outcome = await startOnce(resource, action.request, { client, clusterName, signal, now });
  const isFresh = outcome.kind === 'started';
  // Before the status is written: a run may end while the API server is away.
  if (through) effects.tracker.track({ ...outcome, uid, key: keyOf(resource), isFresh }, through);
  if (!isFresh) effects.memory.hint(uid);
  return { action: { ...action, outcome } };
}

async function end(
  effects: RunEffects,
  { metadata: { uid } }: AIWorkflow,
  action: Extract<RunAction, { type: 'cancel' | 'terminate' }>,
  signal: AbortSignal,
): Promise<AppliedRun> {
  const chain = { ...action.run, reason: action.because };
  try {
    await (action.type === 'cancel' ? cancelRun : terminateRun)(clientOf(effects, uid), chain, signal);
  } catch (thrown) {
    const { reason, message } = asOperatorError(thrown);
    const isBestEffort = action.type === 'terminate' && action.isBestEffort;
    if (reason === 'InternalError') throw thrown;
    // Not with backoff: the release of the resource must not come late because its run cannot be reached.
    if (!isBestEffort) throw new OperatorError(reason, message, { retry: { afterMs: AGAIN_MS }, cause: thrown });
    // The resource goes all the same; whoever looks for a run that lives on finds this line.
    return { action: { ...action, because: `${action.because}, but in vain: ${message}` } };
  }
  effects.memory.hasAsked(uid, action.type);
  return {};
}

/** The client that the pass has looked at: another one might lead to another cluster. */
function clientOf({ memory }: RunEffects, uid: string): TemporalClient {
  const client = memory.seen(uid)?.client;
  if (client) return client;
  throw new OperatorError('ConnectionNotReady', 'There is no connection to Temporal', { retry: 'backoff' });
}
