import type { Connection } from '../api/connection.ts';
import type { SecretWatches } from '../controllers/connection/secrets.ts';
import type { ConnectionParts } from './connections.ts';

/**
 * Connections come and go, and have no finalizer: one that is deleted together
 * with its runs may go first. Its client is kept in memory until the last of
 * them has ended, or they could not be ended at all.
 */
export class Departures {
  private readonly parts: ConnectionParts;
  private readonly watches: Pick<SecretWatches, 'set'>;
  private readonly leaving = new Set<string>();

  constructor(parts: ConnectionParts, watches: Pick<SecretWatches, 'set'>) {
    this.parts = parts;
    this.watches = watches;
  }

  /** The connection is there (again): nobody may take it for missing before it was looked at. */
  arrive(key: string, connection: Connection): void {
    this.leaving.delete(key);
    const { directory } = this.parts;
    if (!directory.get(key)) directory.set(key, { connection });
  }

  /** The connection is gone: it serves nothing new, and what runs can be ended through it. */
  leave(key: string): void {
    const { directory, isUsed } = this.parts;
    this.watches.set(key, '', []);
    const entry = directory.get(key);
    if (!entry?.client || !isUsed(key)) {
      this.forget(key);
      return;
    }
    this.leaving.add(key);
    const problem = { reason: 'ConnectionNotFound', message: 'The connection was deleted', since: new Date() } as const;
    directory.set(key, { ...entry, awaySince: undefined, problem });
  }

  /** To be called whenever a run has changed: the last one lets its connection go. */
  check(): void {
    for (const key of this.leaving) if (!this.parts.isUsed(key)) this.forget(key);
  }

  private forget(key: string): void {
    const { directory, pool, onForgotten } = this.parts;
    this.leaving.delete(key);
    directory.delete(key);
    pool.drop(key);
    onForgotten(key);
  }
}
