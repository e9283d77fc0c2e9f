import type { Connection } from '../../api/connection.ts';
import type { ConnectionRef } from '../../api/fields.ts';
import type { Reason } from '../../api/reasons.ts';
import type { ServerDescription } from '../../temporal/server.ts';
import type { TemporalClient } from '../../temporal/clients.ts';

/** What the operator knows of one connection at this moment. In memory only; the status is made from the same. */
export interface ConnectionEntry {
  readonly connection: Connection;
  /** The last good client: it outlives a Secret that went away, so that what runs can still be ended. */
  readonly client?: TemporalClient | undefined;
  readonly server?: ServerDescription | undefined;
  /** Why it cannot be used for anything new. */
  readonly problem?: Problem | undefined;
  /** Since when Temporal, which was reached before, has not answered. */
  readonly awaySince?: Date | undefined;
}

/** What is wrong with a connection, and since when. */
export interface Problem {
  /** `ConnectionNotFound`: it was deleted, and its client is kept until nothing needs it for ending runs. */
  readonly reason: Reason;
  readonly message: string;
  readonly since: Date;
}

/** A connection as a resource that refers to it sees it. */
export type Resolution =
  | {
      readonly isUsable: true;
      readonly key: string;
      readonly connection: Connection;
      readonly client: TemporalClient;
      readonly server: ServerDescription;
      readonly awaySince?: Date | undefined;
    }
  | {
      readonly isUsable: false;
      readonly key: string;
      readonly reason: Reason;
      readonly message: string;
      /** What is behind it, and since when; undefined where nothing is known of the connection. */
      readonly problem?: Problem | undefined;
      readonly connection?: Connection | undefined;
      /** For ending what was started before. */
      readonly client?: TemporalClient | undefined;
      readonly server?: ServerDescription | undefined;
    };

/** Who asks: a ClusterTemporalConnection serves the namespaces it allows only. */
export interface Asker {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** All connections by key, and word of every change. Written by the connection controller alone. */
export class ConnectionDirectory {
  private readonly entries = new Map<string, ConnectionEntry>();
  private readonly listeners = new Set<(key: string) => void>();

  get(key: string): ConnectionEntry | undefined {
    return this.entries.get(key);
  }

  set(key: string, entry: ConnectionEntry): void {
    const before = this.entries.get(key);
    this.entries.set(key, entry);
    if (!before || isNews(before, entry)) this.tell(key);
  }

  delete(key: string): void {
    if (this.entries.delete(key)) this.tell(key);
  }

  /** Calls `listener` when what a connection can do for others may have changed. Returns how to stop. */
  onChange(listener: (key: string) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** The connection that `ref` means, from `asker`'s point of view. */
  resolve(ref: ConnectionRef, asker: Asker): Resolution {
    const key = connectionKey(ref, asker.namespace);
    const entry = this.entries.get(key);
    const objection = whyUnusable(entry, ref, asker);
    if (objection || !entry?.client || !entry.server) {
      const known = objection?.reason === 'NamespaceNotAllowed' ? undefined : entry;
      return { isUsable: false, key, ...(objection ?? notLookedAt(ref)), ...known };
    }
    const { connection, client, server, awaySince } = entry;
    return { isUsable: true, key, connection, client, server, awaySince };
  }

  private tell(key: string): void {
    for (const listener of this.listeners) listener(key);
  }
}

/** `TemporalConnection/<namespace>/<name>` or `ClusterTemporalConnection/<name>`. */
export function connectionKey({ kind, name }: ConnectionRef, namespace: string): string {
  return kind === 'ClusterTemporalConnection' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

function whyUnusable(entry: ConnectionEntry | undefined, { kind, name }: ConnectionRef, asker: Asker) {
  if (!entry || entry.problem?.reason === 'ConnectionNotFound') {
    return { reason: 'ConnectionNotFound', message: `spec.connectionRef: there is no ${kind} named ${name}` } as const;
  }
  if (kind === 'ClusterTemporalConnection' && !allows(entry.connection, asker)) {
    return {
      reason: 'NamespaceNotAllowed',
      message: `spec.connectionRef: ${kind} ${name} does not allow namespace ${asker.namespace}`,
    } as const;
  }
  if (!entry.problem) return undefined;
  return { reason: 'ConnectionNotReady', message: `${kind} ${name} is not ready: ${entry.problem.message}` } as const;
}

const notLookedAt = ({ kind, name }: ConnectionRef) =>
  ({ reason: 'ConnectionNotReady', message: `${kind} ${name} is not looked at yet` }) as const;

function allows({ spec }: Connection, { namespace, labels }: Asker): boolean {
  const allowed = 'allowedNamespaces' in spec ? spec.allowedNamespaces : undefined;
  if (!allowed) return false;
  const wanted = Object.entries(allowed.selector?.matchLabels ?? {});
  return (
    allowed.names.includes(namespace) || (wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value))
  );
}

function isNews(before: ConnectionEntry, after: ConnectionEntry): boolean {
  return (
    before.client !== after.client ||
    before.problem?.reason !== after.problem?.reason ||
    before.problem?.message !== after.problem?.message ||
    before.connection.metadata.generation !== after.connection.metadata.generation ||
    (before.awaySince === undefined) !== (after.awaySince === undefined)
  );
}
