import type { Worker } from '../../api/worker.ts';
import type { Plan } from '../../runtime/reconcile.ts';
import { desiredBudget } from './budget.ts';
import type { Loose } from './loose.ts';
import { markAnnotations } from './marks.ts';
import type { ObservedDeployment, ObservedWorker, ServedWorker } from './observed.ts';

/** Every action carries `because`: it becomes the log line and the Event. */
export type WorkerAction =
  | { readonly type: 'createDeployment'; readonly replicas: number; readonly manifest: Loose; readonly because: string }
  | {
      readonly type: 'scaleDeployment';
      readonly uid: string;
      readonly from: number;
      readonly replicas: number;
      readonly because: string;
    }
  | {
      /** `replicas`: those it has; a server-side apply that omits them would set them to 1. */
      readonly type: 'updateDeployment';
      readonly uid: string;
      readonly replicas: number;
      readonly manifest: Loose;
      readonly because: string;
    }
  | {
      readonly type: 'markPod';
      readonly pod: string;
      readonly annotations: Readonly<Record<string, string | null>>;
      readonly because: string;
    }
  | { readonly type: 'createBudget'; readonly manifest: Loose; readonly because: string };

/** While something waits, runs or scales. */
const HOT_MS = 2_000;
/** While a step down is being prepared. */
const STEPPING_MS = 1_000;
/** Calls that a Temporal namespace gets for looking at queues where nothing happens. */
const COLD_CALLS_PER_SECOND = 8;
const CALLS_PER_LOOK = 2;
/** The server's statistics are not newer anyway. */
const SHORTEST_COLD_MS = 5_000;
/** Somebody else's objects do not tell us when they change. */
const RECHECK_OTHERS_MS = 30_000;

/** Decides what one pass does about one Worker. Total and pure. */
export function planWorker(worker: Worker, observed: ObservedWorker, now: Date): Plan<WorkerAction> {
  // The garbage collector takes the Deployment, and with it the pods, each with its grace period.
  if (worker.metadata.deletionTimestamp !== undefined) return { actions: [] };
  if (observed.kind === 'objected') return { actions: [], recheckAfterMs: RECHECK_OTHERS_MS };
  const { deployment } = observed;
  if (deployment && deployment.owner !== 'ours') return { actions: [], recheckAfterMs: RECHECK_OTHERS_MS };
  const actions = [
    ...sizeActions(observed, deployment),
    ...markActions(worker, observed),
    // After those, because it may be refused: a template that the API server rejects must not stop the pool from scaling.
    ...updateActions(observed, deployment),
    // Last, because it may be refused, too, and matters least.
    ...budgetActions(worker, observed),
  ];
  return { actions, recheckAfterMs: recheckMs(worker, observed, now) };
}

function sizeActions({ decision, desired }: ServedWorker, deployment: ObservedDeployment | undefined): WorkerAction[] {
  const { replicas } = decision;
  const because = sentence(decision.reason);
  if (!deployment) {
    return [{ type: 'createDeployment', replicas, manifest: desired.manifest, because }];
  }
  if (replicas === deployment.replicas) return [];
  return [{ type: 'scaleDeployment', uid: deployment.uid, from: deployment.replicas, replicas, because }];
}

function updateActions(
  { decision: { replicas, memory }, desired }: ServedWorker,
  deployment: ObservedDeployment | undefined,
): WorkerAction[] {
  if (!deployment || deployment.hash === desired.hash) return [];
  // Never while a step down is under way: which pods go could not be foreseen.
  if (replicas < deployment.replicas || memory.scaleIn) return [];
  const { manifest } = desired;
  return [{ type: 'updateDeployment', uid: deployment.uid, replicas, manifest, because: 'The spec has changed' }];
}

function budgetActions(worker: Worker, { hasBudget }: ServedWorker): WorkerAction[] {
  if (hasBudget) return [];
  return [
    {
      type: 'createBudget',
      manifest: desiredBudget(worker),
      because: 'A drain must take the pods of a pool one at a time',
    },
  ];
}

function markActions(worker: Worker, { decision }: ServedWorker): WorkerAction[] {
  return decision.marks.map(({ pod, isBusy }) => ({
    type: 'markPod',
    pod,
    annotations: markAnnotations(worker, isBusy),
    because: isBusy ? 'The pod works' : 'The pod is idle',
  }));
}

function recheckMs(worker: Worker, observed: ServedWorker, now: Date): number {
  const { decision, queues } = observed;
  const { retreating, memory } = decision;
  if (memory.scaleIn ?? memory.guardedSinceMs ?? (retreating.type === 'guard' || undefined)) return STEPPING_MS;
  if (isHot(worker, observed)) return HOT_MS;
  const turnMs = (1000 * queues * CALLS_PER_LOOK) / COLD_CALLS_PER_SECOND;
  // Spread, so that the queues of an operator that has just started do not stay in step.
  const spread = 0.9 + 0.2 * ((now.getTime() % 1000) / 1000);
  return Math.round(Math.max(SHORTEST_COLD_MS, turnMs) * spread);
}

function isHot({ spec }: Worker, observed: ServedWorker): boolean {
  const { decision, queue } = observed;
  const canMove = queue !== undefined || spec.scaling.mode !== 'Backlog';
  return isWanted(observed) || decision.live.some(({ pod }) => !pod.isReady) || (canMove && isMoving(observed));
}

function isWanted({ decision: { demand }, queue }: ServedWorker): boolean {
  if (!queue || !demand) return false;
  return queue.activities.waiting + queue.workflows.waiting + demand.claims + demand.busySlots > 0;
}

function isMoving({ decision: { target, replicas, live, terminating }, deployment }: ServedWorker): boolean {
  return target !== deployment?.replicas || live.length !== replicas || terminating.length > 0;
}

/** As a sentence of its own. */
function sentence(reason: string): string {
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}
