import type { PodActivity } from './idle.ts';
import type { PodMemory } from './memory.ts';

/** A pod that has just become idle often works again at once; each change of its marks is a write. */
const RELEASE_AFTER_MS = 30_000;

/** A pod whose marks should change. */
export interface Mark {
  readonly pod: string;
  readonly isBusy: boolean;
}

/**
 * Pods whose marks are wrong: one that works is marked at once, one that is
 * idle is released a little later. `candidates`: the pods that a step down may
 * take, when one is due; then the marks must be exact.
 */
export function marksToChange(
  live: readonly PodActivity[],
  memory: ReadonlyMap<string, PodMemory>,
  candidates: ReadonlySet<string> | undefined,
  nowMs: number,
): Mark[] {
  return live.flatMap((one) => {
    const { name, isGuarded } = one.pod;
    const isBusy = candidates ? !candidates.has(name) : shouldGuard(one, memory.get(name)?.idleSinceMs, nowMs);
    return isBusy === isGuarded ? [] : [{ pod: name, isBusy }];
  });
}

function shouldGuard({ pod, state, usedSlots }: PodActivity, idleSinceMs: number | undefined, nowMs: number): boolean {
  if (usedSlots > 0) return true;
  const isRested = state === 'idle' && nowMs - (idleSinceMs ?? nowMs) >= RELEASE_AFTER_MS;
  return pod.isGuarded && !isRested;
}
