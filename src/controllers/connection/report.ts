import type { Connection } from '../../api/connection.ts';
import { conditionsOf, type Verdict, type Verdicts } from '../../api/conditions.ts';
import { formatDuration } from '../../api/duration.ts';
import type { OperatorError } from '../../errors.ts';
import type { Outcome } from '../../runtime/reconcile.ts';

/** What a pass over a connection found out. */
export interface ObservedConnection {
  readonly server: ObservedServer;
}

export interface ObservedServer {
  readonly serverVersion: string;
  readonly clusterID: string;
  readonly capabilities: readonly string[];
  readonly retentionMs?: number | undefined;
}

/** Shorter retention loses outcomes over a weekend. */
const SHORT_RETENTION_MS = 24 * 3_600_000;

/** The status of a connection after a pass. */
export function reportConnection(
  connection: Connection & { readonly problem?: string },
  { observed, error }: Outcome<ObservedConnection, never>,
  now: Date,
): Connection['status'] {
  const generation = connection.metadata.generation ?? 0;
  return {
    ...figuresOf(connection, observed?.server),
    observedGeneration: generation,
    conditions: conditionsOf(
      connection.status.conditions,
      verdictsOf(connection.problem, error, observed?.server),
      generation,
      now,
    ),
  };
}

/** What was last known stays while Temporal is away. */
function figuresOf(
  { status }: Connection,
  server: ObservedServer | undefined,
): Omit<Connection['status'], 'observedGeneration'> {
  if (!server) return status;
  const { serverVersion, clusterID, capabilities, retentionMs } = server;
  return {
    serverVersion,
    clusterID,
    capabilities: [...capabilities].sort(),
    ...(retentionMs !== undefined && { retention: formatDuration(retentionMs) }),
  };
}

function verdictsOf(
  problem: string | undefined,
  error: Outcome<ObservedConnection, never>['error'],
  server: ObservedServer | undefined,
): Verdicts {
  if (problem !== undefined) {
    const invalid = { reason: 'InvalidSpec', message: problem } as const;
    return {
      Accepted: { status: 'False', ...invalid },
      Ready: { status: 'False', ...invalid },
      Stalled: { status: 'True', ...invalid },
    };
  }
  if (!error) return { Accepted: accepted, Ready: connected(server) };
  const { reason, message } = error;
  const Ready: Verdict = { status: 'False', reason, message };
  return { Accepted: isOfSecret(error) ? Ready : accepted, Ready, Reconciling: { ...Ready, status: 'True' } };
}

const accepted: Verdict = {
  status: 'True',
  reason: 'Reconciled',
  message: 'The spec is valid and its references resolve',
};

/** A reference to a Secret does not resolve. */
const isOfSecret = ({ reason }: OperatorError) =>
  reason === 'SecretNotFound' || reason === 'SecretForbidden' || reason === 'SecretInvalid';

function connected(server: ObservedServer | undefined): Verdict {
  const { serverVersion, retentionMs } = server ?? {};
  const name = ['Temporal', serverVersion].filter(Boolean).join(' ');
  const warning =
    retentionMs !== undefined && retentionMs < SHORT_RETENTION_MS
      ? `; closed runs are kept for ${formatDuration(retentionMs)} only: an operator away for longer cannot tell their outcome`
      : '';
  return { status: 'True', reason: 'Connected', message: `${name} answers${warning}` };
}
