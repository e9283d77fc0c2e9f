import type { AIWorkflow } from '../../api/aiworkflow.ts';
import type { Reconciler } from '../../runtime/reconcile.ts';
import { applyRun, type RunEffects } from './apply.ts';
import { observeRun } from './observe.ts';
import type { RunWorld } from './world.ts';
import type { ObservedRun } from './observed.ts';
import { planRun, type RunAction } from './plan.ts';
import { reportRun } from './report.ts';

/** The four steps for runs. */
export function runReconciler(world: RunWorld & RunEffects): Reconciler<AIWorkflow, ObservedRun, RunAction> {
  return {
    observe: (resource, signal) => observeRun(world, resource, signal),
    plan: planRun,
    apply: (resource, action, signal) => applyRun(world, resource, action, signal),
    report: reportRun,
  };
}
