import { setTimeout as pause } from 'node:timers/promises';

/** Where time comes from; tests bring their own. */
export interface Clock {
  now(): Date;
  /** Rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) => pause(ms, undefined, { signal }),
};
