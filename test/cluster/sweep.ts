import { stat } from 'node:fs/promises';
import { isAlive } from './identity.ts';
import type { Progress } from './progress.ts';
import { currentBootId, folderOf, instances, readState } from './state.ts';
import type { ClusterState } from './state.ts';
import { removeCluster } from './teardown.ts';

const forgottenMs = 60_000;

/** Removes what dead launchers left: clusters whose owner is gone, or which ran before this machine last started. */
export async function sweep(progress: Progress): Promise<void> {
  const bootId = await currentBootId();
  for (const instance of await instances()) {
    const state = await readState(instance);
    const isDead = state === undefined ? await isForgotten(instance) : state.bootId !== bootId || hasLostOwner(state);
    if (!isDead) continue;
    progress(`removing cluster ${instance}, whose launcher is gone`);
    await removeCluster(instance);
  }
}

function hasLostOwner({ owner }: ClusterState): boolean {
  return owner !== undefined && !isAlive(owner);
}

// A folder without a record is being made or removed this moment, or nobody has finished doing so.
async function isForgotten(instance: string): Promise<boolean> {
  const folder = await stat(folderOf(instance)).catch(() => undefined);
  return folder !== undefined && Date.now() - folder.mtimeMs > forgottenMs;
}
