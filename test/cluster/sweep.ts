import { isAlive } from './identity.ts';
import type { Progress } from './progress.ts';
import { currentBootId, instances, readState } from './state.ts';
import { removeCluster } from './teardown.ts';

/** Removes what dead launchers left: clusters whose owner is gone, or which ran before this machine last started. */
export async function sweep(progress: Progress): Promise<void> {
  const bootId = await currentBootId();
  for (const instance of await instances()) {
    const state = await readState(instance);
    // Without a record it is being made this moment (the record comes first), or being removed.
    if (state === undefined) continue;
    const isDead = state.bootId !== bootId || (state.owner !== undefined && !isAlive(state.owner));
    if (!isDead) continue;
    progress(`removing cluster ${instance}, whose launcher is gone`);
    await removeCluster(instance);
  }
}
