/** Bounds of an exponential backoff. */
export interface BackoffBounds {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How long to wait after that many failures in a row (from 1): doubling within the bounds, of which up to half is left to chance. */
export function backoffMs(failures: number, { baseMs, maxMs }: BackoffBounds, random = Math.random()): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + random / 2);
}
