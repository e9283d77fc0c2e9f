/** The highest of the values of the last while: what a pool must not shrink below. */
export interface Window {
  /** Values in falling order, each with the time it was last seen; a value that a later one reached is gone. */
  readonly peaks: readonly { readonly atMs: number; readonly value: number }[];
  /** When looking began. Before a whole window has passed since, nothing is known of what was needed. */
  readonly sinceMs: number;
}

/** A window that has seen nothing yet. */
export function emptyWindow(nowMs: number): Window {
  return { peaks: [], sinceMs: nowMs };
}

/**
 * The window after `value` was seen at `nowMs`. Holds at most one entry for
 * each different value, whatever its length and however often it is fed.
 */
export function seen(window: Window, value: number, nowMs: number, lengthMs: number): Window {
  const kept = window.peaks.filter((peak) => peak.value > value && peak.atMs >= nowMs - lengthMs);
  return { ...window, peaks: [...kept, { atMs: nowMs, value }] };
}

/** The highest value of the last `lengthMs`; undefined before so long has passed. */
export function highest({ peaks, sinceMs }: Window, nowMs: number, lengthMs: number): number | undefined {
  if (nowMs - sinceMs < lengthMs) return undefined;
  return peaks.find(({ atMs }) => atMs >= nowMs - lengthMs)?.value;
}
