import type { Clock } from './clock.ts';
import type { LeaseRecord, LeaseStore } from './ports.ts';

/** A Lease that has become ours. */
export interface Claimed {
  readonly lease: LeaseRecord;
  /** By `performance.now()`: from then on it is ours for its duration at least. */
  readonly since: number;
}

interface ClaimOptions {
  readonly store: LeaseStore;
  readonly identity: string;
  readonly clock: Clock;
  readonly timing: { readonly leaseMs: number; readonly retryMs: number };
}

/** So much later than it runs out the Lease is looked at again. */
const SLACK_MS = 50;

/** Takes a Lease when nobody holds it. */
export class LeaseClaims {
  private readonly options: ClaimOptions;
  /** The Lease as last seen and when by our clock it last changed: others' clocks are not believed. */
  private seen: { readonly version: string; readonly at: number } | undefined;

  constructor(options: ClaimOptions) {
    this.options = options;
  }

  /** Takes the Lease if it is free or was ours; else waits until that may have changed. `onSeen`: it could be read. */
  async claim(signal: AbortSignal, onSeen: () => void): Promise<Claimed | undefined> {
    const { store, identity } = this.options;
    const found = await store.read(signal);
    onSeen();
    const waitMs = found ? this.freeInMs(found) : 0;
    if (found && waitMs > 0) {
      await this.waitUntilFree(waitMs, signal);
      return undefined;
    }
    const since = performance.now();
    if (!found) return claimed(await store.create(this.fresh(0), signal), since);
    const transitions = found.holder === identity ? found.transitions : found.transitions + 1;
    const { resourceVersion } = found;
    return claimed(await store.update({ ...this.fresh(transitions), resourceVersion }, signal), since);
  }

  private fresh(transitions: number): Omit<LeaseRecord, 'resourceVersion'> {
    const { identity, clock, timing } = this.options;
    const now = clock.now().toISOString();
    const leaseDurationSeconds = Math.ceil(timing.leaseMs / 1_000);
    return { holder: identity, leaseDurationSeconds, acquireTime: now, renewTime: now, transitions };
  }

  /** How long the Lease is still another's; 0 when it is free or our own. */
  private freeInMs({ holder, resourceVersion, leaseDurationSeconds }: LeaseRecord): number {
    if (this.seen?.version !== resourceVersion) this.seen = { version: resourceVersion, at: performance.now() };
    if (holder === '' || holder === this.options.identity) return 0;
    return Math.max(0, this.seen.at + leaseDurationSeconds * 1_000 - performance.now());
  }

  /** Returns when the Lease is free, or may be; or when it is time to look again. A holder who goes on renewing costs no call. */
  private async waitUntilFree(ms: number, parent: AbortSignal): Promise<void> {
    const { clock, timing } = this.options;
    const controller = new AbortController();
    const { signal } = controller;
    const giveUp = () => controller.abort();
    parent.addEventListener('abort', giveUp, { once: true });
    if (parent.aborted) giveUp();
    let timer = setTimeout(giveUp, ms + SLACK_MS);
    const onHeld = (stillMs: number) => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, stillMs + SLACK_MS);
    };
    try {
      const isFree = await this.watchUntilFree(signal, onHeld).catch(() => false);
      // Without a watch: look again a little later.
      if (!isFree) await clock.sleep(timing.retryMs, signal).catch(() => undefined);
    } finally {
      clearTimeout(timer);
      parent.removeEventListener('abort', giveUp);
      controller.abort();
    }
  }

  private async watchUntilFree(signal: AbortSignal, onHeld: (stillMs: number) => void): Promise<boolean> {
    for await (const record of this.options.store.watch(signal)) {
      const stillMs = record ? this.freeInMs(record) : 0;
      if (stillMs === 0) return true;
      onHeld(stillMs);
    }
    return false;
  }
}

function claimed(lease: LeaseRecord | false, since: number): Claimed | undefined {
  return lease ? { lease, since } : undefined;
}
