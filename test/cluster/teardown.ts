import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identityOf } from './identity.ts';
import { withLock } from './lock.ts';
import { keptLogs, stateRoot } from './places.ts';
import { until } from './poll.ts';
import { markedProcesses, processesWith } from './processes.ts';
import { folderOf, readState } from './state.ts';
import { removeNodeTraces } from './teardown-node.ts';

const endMs = 20_000;

/** The environment variable by which a cluster's guardian is known: its folder. */
export const guardianMarker = 'AIWORKFLOW_GUARDIAN_OF';

/**
 * Removes a cluster whole: its processes, what the kernel holds for it, its files. Works from whatever a launcher
 * that was killed half-way left, and may be called twice.
 */
export async function removeCluster(instance: string): Promise<void> {
  await withLock(join(stateRoot(), `${instance}.lock`), async () => {
    const folder = folderOf(instance);
    const state = await readState(instance);
    await endProcesses(folder);
    if (state?.mode === 'node') await removeNodeTraces(state);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    // Last of all: should we be killed before, it goes on where we stopped.
    for (const pid of await processesWith(guardianMarker, folder)) killNow(pid);
  });
  await rm(join(stateRoot(), `${instance}.lock`), { force: true });
}

/** Keeps the logs of a cluster for whoever looks into its failure, and returns where. */
export async function keepLogs(instance: string): Promise<string> {
  const target = keptLogs(instance);
  for (const part of ['log', 'audit', 'pods', 'podlogs']) {
    await cp(join(folderOf(instance), part), join(target, part), { recursive: true }).catch(() => undefined);
  }
  return target;
}

// Nothing here is worth a grace period: what should survive a crash is made to survive one.
async function endProcesses(folder: string): Promise<void> {
  await until('the cluster to have no process left', endMs, async () => {
    const pids = await markedProcesses(folder);
    for (const pid of pids) killNow(pid);
    return pids.length === 0;
  });
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Gone in between is what we want; without the right to kill it the wait for its end will say so.
    if (identityOf(pid) !== undefined) throw error;
  }
}
