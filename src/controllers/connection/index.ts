import type { Connection } from '../../api/connection.ts';
import type { Reconciler } from '../../runtime/reconcile.ts';
import { observeConnection, type ConnectionWorld } from './observe.ts';
import { reportConnection, type ObservedConnection } from './report.ts';

/** Nobody tells us that a Temporal went away: it is asked this often. Secrets are read as often. */
const PROBE_MS = 20_000;

/** The steps for connections, which have nothing to apply: looking is all there is to do. */
export function connectionReconciler(world: ConnectionWorld): Reconciler<Connection, ObservedConnection, never> {
  return {
    observe: (connection, signal) => observeConnection(world, connection, signal),
    plan: () => ({ actions: [], recheckAfterMs: PROBE_MS }),
    apply: () => Promise.resolve({}),
    report: reportConnection,
  };
}
