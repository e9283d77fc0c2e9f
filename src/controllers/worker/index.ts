import type { Worker } from '../../api/worker.ts';
import { reconcile, type Host, type PassResult, type Reconciler } from '../../runtime/reconcile.ts';
import { AGAIN_MS, applyWorker, type WorkerWrites } from './apply.ts';
import { observeWorker, type WorkerWorld } from './observe.ts';
import type { ObservedWorker } from './observed.ts';
import { planWorker, type WorkerAction } from './plan.ts';
import { reportWorker } from './report.ts';

/** What pools need of the Kubernetes API. */
export type WorkerKube = WorkerWorld['kube'] & WorkerWrites;
export type WorkerReconciler = Reconciler<Worker, ObservedWorker, WorkerAction>;

/** The four steps for pools. */
export function workerReconciler(world: WorkerWorld & { readonly kube: WorkerKube }): WorkerReconciler {
  return {
    observe: (worker, signal) => observeWorker(world, worker, signal),
    plan: planWorker,
    apply: (worker, action, signal) => {
      // Whatever comes of it: one that is refused must not be tried, and slow down the scaling, in every pass.
      if (action.type === 'createBudget') world.memory.budgetSeen(worker.metadata.uid, world.now().getTime());
      return applyWorker(world.kube, worker, action, signal);
    },
    report: reportWorker,
  };
}

/** One pass. Nothing but another one tells a pool that tasks wait: no error may be the last word. */
export async function passOverWorker(
  reconciler: WorkerReconciler,
  worker: Worker,
  host: Host<Worker, WorkerAction>,
  signal: AbortSignal,
): Promise<PassResult> {
  const result = await reconcile(reconciler, worker, host, signal);
  return result.retry === 'never' ? { ...result, retry: { afterMs: AGAIN_MS } } : result;
}
