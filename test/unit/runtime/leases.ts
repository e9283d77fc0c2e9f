import type { LeaseRecord, LeaseStore } from '../../../src/runtime/ports.ts';

/** How one candidate is cut off from a Lease. */
export interface Injuries {
  /** Every call fails. */
  isAway: boolean;
  /** No call is done, nor answered before it is given up. */
  isHanging: boolean;
  /** Writes are done, but not answered before they are given up. */
  isSilent: boolean;
  refused: number;
  /** Calls that came, those that open a watch too. */
  calls: number;
}

/** A Lease in memory that can be stolen and cut off: from all its candidates by its own injuries, from one by those of its store. */
export class MemoryLease implements Injuries {
  record: LeaseRecord | undefined;
  isAway = false;
  isHanging = false;
  isSilent = false;
  refused = 0;
  calls = 0;
  private version = 0;
  private readonly wakes = new Set<() => void>();

  write(record: Omit<LeaseRecord, 'resourceVersion'>): LeaseRecord {
    this.version += 1;
    this.record = { ...record, resourceVersion: String(this.version) };
    for (const wake of this.wakes) wake();
    this.wakes.clear();
    return this.record;
  }

  store(injuries: Injuries = this): LeaseStore {
    const reach = async (signal: AbortSignal) => {
      injuries.calls += 1;
      if (injuries.isAway) {
        injuries.refused += 1;
        throw new Error('the API server is away');
      }
      if (injuries.isHanging) await givenUp(signal);
      signal.throwIfAborted();
    };
    const answer = async <T>(value: T, signal: AbortSignal): Promise<T> => {
      if (injuries.isSilent) await givenUp(signal);
      return value;
    };
    return {
      read: async (signal) => (await reach(signal), this.record),
      create: async (record, signal) => {
        await reach(signal);
        return answer(this.record ? false : this.write(record), signal);
      },
      update: async (record, signal) => {
        await reach(signal);
        return answer(this.record?.resourceVersion === record.resourceVersion && this.write(record), signal);
      },
      watch: (signal) => this.changes(signal, reach),
    };
  }

  private async *changes(signal: AbortSignal, reach: (signal: AbortSignal) => Promise<void>) {
    await reach(signal);
    for (;;) {
      yield this.record;
      await new Promise<void>((resolve) => {
        this.wakes.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      if (signal.aborted) return;
    }
  }
}

function givenUp(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () => reject(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
}
