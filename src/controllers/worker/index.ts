import type { Worker } from '../../api/worker.ts';
import type { Reconciler } from '../../runtime/reconcile.ts';
import { applyWorker, type WorkerWrites } from './apply.ts';
import { observeWorker, type WorkerWorld } from './observe.ts';
import type { ObservedWorker } from './observed.ts';
import { planWorker, type WorkerAction } from './plan.ts';
import { reportWorker } from './report.ts';

/** The four steps for pools. */
export function workerReconciler(
  world: WorkerWorld & { readonly kube: WorkerWrites },
): Reconciler<Worker, ObservedWorker, WorkerAction> {
  return {
    observe: (worker, signal) => observeWorker(world, worker, signal),
    plan: planWorker,
    apply: async (worker, action, signal) => {
      const applied = await applyWorker(world.kube, worker, action, signal);
      if (action.type === 'createBudget') world.memory.budgetSeen(worker.metadata.uid);
      return applied;
    },
    report: reportWorker,
  };
}
