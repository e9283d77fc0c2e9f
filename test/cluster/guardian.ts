import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from './identity.ts';
import { folderOf, readState } from './state.ts';
import { guardianMarker, removeCluster } from './teardown.ts';

const intervalMs = 500;

/**
 * Starts a process that outlives us and removes the cluster when its owner has died, however it died. It ends by
 * itself when the cluster is gone or has been given no owner.
 */
export function startGuardian(instance: string): void {
  const guardian = spawn(process.execPath, [import.meta.filename, instance], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: { ...process.env, NODE_OPTIONS: '', [guardianMarker]: folderOf(instance) },
  });
  guardian.unref();
}

async function guard(instance: string): Promise<void> {
  for (;;) {
    const state = await readState(instance);
    if (state?.owner === undefined) return;
    if (!isAlive(state.owner)) return removeCluster(instance);
    await delay(intervalMs);
  }
}

// No top-level await: jest loads its global setup by require() first, which refuses modules that have one.
if (import.meta.main) void guard(process.argv[2] ?? '');
