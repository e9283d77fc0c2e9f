import type { Connection } from '../../api/connection.ts';
import { asOperatorError, OperatorError } from '../../errors.ts';
import type { ClientPool, TemporalClient } from '../../temporal/clients.ts';
import { describeServer } from '../../temporal/server.ts';
import { connectionKey, type ConnectionDirectory, type ConnectionEntry } from './directory.ts';
import type { ObservedConnection } from './report.ts';
import { secretNames, targetOf, type SecretValues } from './target.ts';

/** Reads one Secret. Throws SecretNotFound and SecretForbidden. */
export type ReadSecret = (namespace: string, name: string, signal: AbortSignal) => Promise<SecretValues>;

/** What looking at a connection needs from outside. */
export interface ConnectionWorld {
  readonly pool: Pick<ClientPool, 'get'>;
  readonly directory: ConnectionDirectory;
  readonly readSecret: ReadSecret;
  /** From now on a change of one of these Secrets, and of no other, makes the connection be looked at again. */
  readonly watchSecrets: (key: string, namespace: string, names: readonly string[]) => void;
  /** Where the Secrets of a ClusterTemporalConnection are. */
  readonly operatorNamespace: string;
  readonly now: () => Date;
}

/** A connection that does not work is tried again this much later. */
const RETRY_MS = { TemporalUnavailable: 5_000, other: 15_000 };

/** Resolves credentials, connects, asks who is there, and tells the directory; also what is wrong, which it throws as well. */
export async function observeConnection(
  world: ConnectionWorld,
  connection: Connection & { readonly problem?: string },
  signal: AbortSignal,
): Promise<ObservedConnection> {
  const key = keyOfConnection(connection);
  let client: TemporalClient | undefined;
  try {
    client = await connect(world, key, connection, signal);
    const server = await describeServer(client, signal);
    world.directory.set(key, { connection, client, server });
    return { server };
  } catch (thrown) {
    const error = asOperatorError(thrown);
    if (signal.aborted) throw error;
    // An API server that is away says nothing about the connection: what was known of it stands.
    if (error.reason !== 'KubernetesUnavailable' || !world.directory.get(key)) {
      world.directory.set(key, afterFailure(world, connection, client, error));
    }
    const afterMs = error.reason === 'TemporalUnavailable' ? RETRY_MS.TemporalUnavailable : RETRY_MS.other;
    throw new OperatorError(error.reason, error.message, { retry: { afterMs }, cause: error.cause });
  }
}

/** The key by which others resolve this connection. */
export function keyOfConnection({ kind, metadata }: Connection): string {
  const name = metadata.name;
  return connectionKey({ kind: kind as 'TemporalConnection', name }, metadata.namespace ?? '');
}

async function connect(
  world: ConnectionWorld,
  key: string,
  connection: Connection & { readonly problem?: string },
  signal: AbortSignal,
): Promise<TemporalClient> {
  const { spec, problem } = connection;
  if (problem !== undefined) throw new OperatorError('InvalidSpec', problem, { retry: 'never' });
  const namespace = connection.metadata.namespace ?? world.operatorNamespace;
  const names = secretNames(spec);
  world.watchSecrets(key, namespace, names);
  const secrets = new Map<string, SecretValues>();
  for (const name of names) secrets.set(name, await world.readSecret(namespace, name, signal));
  return world.pool.get(key, targetOf(spec, secrets, world.now()));
}

/**
 * A Temporal that was reached before and is silent now is away, and whatever was decided stands; anything else is a
 * problem. The last good client stays either way, so that what runs can still be ended. A client that leads elsewhere
 * is not believed to lead to the server that was there before.
 */
function afterFailure(
  { directory, now }: ConnectionWorld,
  connection: Connection,
  client: TemporalClient | undefined,
  { reason, message }: OperatorError,
): ConnectionEntry {
  const before = directory.get(keyOfConnection(connection));
  const known = { connection, ...lastGood(before, client) };
  if (reason === 'TemporalUnavailable' && wasGood(before, client)) {
    return { ...known, awaySince: before?.awaySince ?? now() };
  }
  return { ...known, problem: { reason, message, since: troubleSince(before) ?? now() } };
}

function lastGood(before: ConnectionEntry | undefined, client: TemporalClient | undefined) {
  const isElsewhere = client !== undefined && client !== before?.client;
  return isElsewhere ? { client } : { client: before?.client, server: before?.server };
}

const troubleSince = (before: ConnectionEntry | undefined) => before?.problem?.since ?? before?.awaySince;

function wasGood(before: ConnectionEntry | undefined, client: TemporalClient | undefined): boolean {
  return client !== undefined && client === before?.client && before.server !== undefined && !before.problem;
}
