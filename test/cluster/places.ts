import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout this launcher belongs to. */
export const repository = resolve(import.meta.dirname, '../..');

/** Where built and unpacked programs are kept between runs; safe to delete, then they are made again. */
export function cacheRoot(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'aiworkflow');
}

/** One folder a running cluster, and nothing else: what stands here is running, or was when its launcher died. */
export function stateRoot(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'aiworkflow/clusters');
}

/** Where the logs of a failed cluster are kept, outside its state so that teardown may remove that whole. */
export function keptLogs(instance: string): string {
  return join(repository, 'build/logs', instance);
}
