import type { AnyResource } from '../api/resource.ts';
import { isSameJson } from '../api/same.ts';
import { asOperatorError, type OperatorError, type Retry } from '../errors.ts';

/** What one pass decided to do, and when to look again. */
export interface Plan<Action> {
  /** In the order they must happen. Empty when the world is as the spec says. */
  readonly actions: readonly Action[];
  /** When to look again even if nothing changes; absent: only when something does. */
  readonly recheckAfterMs?: number;
}

/** The least an action is: its kind, and why it is done; the latter becomes the log line and the Event. */
export interface AnyAction {
  readonly type: string;
  readonly because: string;
}

/** How far one pass got: all the way, or up to an error. */
export interface Outcome<Observed, Action> {
  readonly observed?: Observed;
  readonly applied: readonly Action[];
  readonly error?: OperatorError;
  /** The action that met the error; absent where it came before any. */
  readonly failed?: Action;
}

/** The four steps every controller in this repository is made of. */
export interface Reconciler<Resource extends AnyResource, Observed, Action extends AnyAction> {
  /** Reads everything the plan needs, once. Writes nothing. */
  observe(resource: Resource, signal: AbortSignal): Promise<Observed>;
  /** Decides. Pure: the same inputs give the same plan, so tests need no cluster. */
  plan(resource: Resource, observed: Observed, now: Date): Plan<Action>;
  /**
   * Performs one action. Doing it twice must be as good as doing it once.
   * Returns what it learned, for `report`, and the resource where the action changed that itself.
   */
  apply(resource: Resource, action: Action, signal: AbortSignal): Promise<Applied<Resource, Action>>;
  /** Says what happened, success or not. Pure, and the only author of status. Undefined: leave status alone. */
  report(resource: Resource, outcome: Outcome<Observed, Action>, now: Date): Resource['status'] | undefined;
}

/** What an action left behind. */
export interface Applied<Resource, Action> {
  /** The action as `report` should see it, with what applying it brought to light (a run ID, say). */
  readonly action?: Action;
  /** The resource after the action, where the action wrote to it. */
  readonly resource?: Resource;
}

/** What the driver needs from outside. */
export interface Host<Resource extends AnyResource, Action extends AnyAction> {
  now(): Date;
  /** Replaces the whole status under the resource's resourceVersion; a stale one throws an OperatorError with retry `conflict`. */
  writeStatus(resource: Resource, status: Resource['status'], signal: AbortSignal): Promise<void>;
  /** Called once for every action that was applied: logs, Events, metrics. */
  onApplied(resource: Resource, action: Action): void;
}

/** How a pass ended: what was done, and when the next one is due. */
export interface PassResult {
  readonly retry: Retry | 'done';
  readonly actions: number;
  readonly statusWritten: boolean;
  readonly error?: OperatorError;
}

/** One pass over one resource. Status is written at most once, and also on failure; on a conflict not at all. */
export async function reconcile<Resource extends AnyResource, Observed, Action extends AnyAction>(
  reconciler: Reconciler<Resource, Observed, Action>,
  resource: Resource,
  host: Host<Resource, Action>,
  signal: AbortSignal,
): Promise<PassResult> {
  const pass = await attempt(reconciler, resource, host, signal);
  const { outcome } = pass;
  const done = { actions: outcome.applied.length, ...(outcome.error && { error: outcome.error }) };
  if (pass.retry === 'conflict' || signal.aborted) return { ...done, retry: pass.retry, statusWritten: false };
  const status = reconciler.report(pass.resource, outcome, host.now());
  if (status === undefined || isSameJson(status, pass.resource.status)) {
    return { ...done, retry: pass.retry, statusWritten: false };
  }
  try {
    await host.writeStatus(pass.resource, status, signal);
    return { ...done, retry: pass.retry, statusWritten: true };
  } catch (thrown) {
    const error = asOperatorError(thrown);
    // The resource went away in between: its deletion is an event of its own.
    return { ...done, retry: error.reason === 'NotFound' ? 'done' : error.retry, statusWritten: false, error };
  }
}

interface Pass<Resource, Observed, Action> {
  readonly resource: Resource;
  readonly outcome: Outcome<Observed, Action>;
  readonly retry: Retry | 'done';
}

async function attempt<Resource extends AnyResource, Observed, Action extends AnyAction>(
  reconciler: Reconciler<Resource, Observed, Action>,
  resource: Resource,
  host: Host<Resource, Action>,
  signal: AbortSignal,
): Promise<Pass<Resource, Observed, Action>> {
  const applied: Action[] = [];
  let current = resource;
  let observed: Observed | undefined;
  let failed: Action | undefined;
  try {
    observed = await reconciler.observe(current, signal);
    const plan = reconciler.plan(current, observed, host.now());
    for (const action of plan.actions) {
      signal.throwIfAborted();
      failed = action;
      const result = await reconciler.apply(current, action, signal);
      current = result.resource ?? current;
      applied.push(result.action ?? action);
      host.onApplied(current, result.action ?? action);
      failed = undefined;
    }
    const retry = plan.recheckAfterMs === undefined ? 'done' : { afterMs: plan.recheckAfterMs };
    return { resource: current, outcome: { observed, applied }, retry };
  } catch (thrown) {
    const error = asOperatorError(thrown);
    return {
      resource: current,
      outcome: { ...(observed !== undefined && { observed }), applied, error, ...(failed && { failed }) },
      retry: error.retry,
    };
  }
}
