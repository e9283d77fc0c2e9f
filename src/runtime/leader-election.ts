import { systemClock, type Clock } from './clock.ts';
import type { LeaseRecord, LeaseStore, Log } from './ports.ts';

/** One time of leading. */
export interface Term {
  /** Aborted when leadership is lost or given up: from then on nothing may be written any more. */
  readonly signal: AbortSignal;
  /** Grows with every term of every holder. */
  readonly epoch: number;
}

/** What an election needs. */
export interface LeaderElectionOptions {
  readonly store: LeaseStore;
  /** Unlike that of any other candidate, and the same after a restart of this one, who then takes its own Lease back at once. */
  readonly identity: string;
  /** Works until the term's signal is aborted, and returns soon after. One that fails ends the term. */
  readonly lead: (term: Term) => Promise<void>;
  readonly log: Log;
  /** Work has not stopped five seconds after leadership was lost: end the process, for another one leads by now. */
  readonly onStuck: () => void;
  readonly clock?: Clock;
  readonly timing?: Partial<ElectionTiming>;
}

/** In milliseconds. */
export interface ElectionTiming {
  readonly leaseMs: number;
  readonly renewMs: number;
  /** Between two tries after a failure. */
  readonly retryMs: number;
  /** The Lease counts as lost so much before it runs out for others. */
  readonly marginMs: number;
  readonly stopMs: number;
}

const defaults: ElectionTiming = { leaseMs: 15_000, renewMs: 5_000, retryMs: 1_000, marginMs: 3_000, stopMs: 5_000 };

/** Holds a Lease when nobody else does, and works only while it holds it. */
export class LeaderElection {
  readonly name = 'leader election';
  private readonly options: LeaderElectionOptions;
  private readonly timing: ElectionTiming;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  /** The Lease as last seen and when by our clock it last changed: others' clocks are not believed. */
  private seen: { readonly version: string; readonly at: number } | undefined;
  isLeader = false;

  constructor(options: LeaderElectionOptions) {
    this.options = options;
    this.timing = { ...defaults, ...options.timing };
    this.clock = options.clock ?? systemClock;
  }

  /** Stands as a candidate; returns at once. */
  start(): Promise<void> {
    this.running = this.run(this.stopping.signal);
    return Promise.resolve();
  }

  /** Ends the term, if there is one, and gives the Lease back, so that another takes over at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.stand(signal).catch((error: unknown) => this.afterFailure(error, signal));
  }

  private async stand(signal: AbortSignal): Promise<void> {
    const lease = await this.acquire(signal);
    if (lease) await this.holdTerm(lease, signal);
  }

  private async afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.options.log.warn('could not stand for election, trying on', { err: error });
    await this.pause(this.timing.retryMs * (0.5 + Math.random()), signal);
  }

  /** The Lease once it is ours. */
  private async acquire(signal: AbortSignal): Promise<LeaseRecord | undefined> {
    const { store, identity } = this.options;
    const found = await store.read(signal);
    if (!found) return (await store.create(this.fresh(0), signal)) || undefined;
    const waitMs = this.freeInMs(found);
    if (waitMs > 0) {
      await this.waitForChange(found, waitMs, signal);
      return undefined;
    }
    const transitions = found.holder === identity ? found.transitions : found.transitions + 1;
    const { resourceVersion } = found;
    return (await store.update({ ...this.fresh(transitions), resourceVersion }, signal)) || undefined;
  }

  private fresh(transitions: number): Omit<LeaseRecord, 'resourceVersion'> {
    const now = this.clock.now().toISOString();
    const leaseDurationSeconds = Math.ceil(this.timing.leaseMs / 1_000);
    return { holder: this.options.identity, leaseDurationSeconds, acquireTime: now, renewTime: now, transitions };
  }

  /** How long the Lease is still another's; 0 when it is free or our own. */
  private freeInMs({ holder, resourceVersion, leaseDurationSeconds }: LeaseRecord): number {
    if (this.seen?.version !== resourceVersion) this.seen = { version: resourceVersion, at: performance.now() };
    if (holder === '' || holder === this.options.identity) return 0;
    return Math.max(0, this.seen.at + leaseDurationSeconds * 1_000 - performance.now());
  }

  /** Returns when the Lease has become another version, or after `ms`. */
  private async waitForChange({ resourceVersion }: LeaseRecord, ms: number, parent: AbortSignal): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const giveUp = () => controller.abort();
    parent.addEventListener('abort', giveUp, { once: true });
    const timer = setTimeout(giveUp, ms + 50);
    try {
      const hasChanged = await this.watchPast(resourceVersion, signal).catch(() => false);
      // Without a watch: look again a little later.
      if (!hasChanged) await this.pause(this.timing.retryMs, signal);
    } finally {
      clearTimeout(timer);
      parent.removeEventListener('abort', giveUp);
      controller.abort();
    }
  }

  private async watchPast(resourceVersion: string, signal: AbortSignal): Promise<boolean> {
    for await (const record of this.options.store.watch(signal)) {
      if (record?.resourceVersion !== resourceVersion) return true;
    }
    return false;
  }

  private async holdTerm(lease: LeaseRecord, signal: AbortSignal): Promise<void> {
    const { log, identity, lead } = this.options;
    const term = new AbortController();
    const end = () => term.abort(new Error('the term has ended'));
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    log.info('leading', { identity, epoch: lease.transitions });
    this.isLeader = true;
    const work = lead({ signal: term.signal, epoch: lease.transitions })
      .catch((error: unknown) => log.error('leading failed', { err: error }))
      .finally(end);
    const last = await this.renewUntil(lease, term.signal);
    end();
    this.isLeader = false;
    signal.removeEventListener('abort', end);
    await this.workEnded(work);
    log.info('not leading any more', { identity });
    if (last) await this.release(last);
  }

  /** Renews until the term ends. Returns the Lease if it is still ours then. */
  private async renewUntil(lease: LeaseRecord, signal: AbortSignal): Promise<LeaseRecord | undefined> {
    const { renewMs, retryMs, leaseMs, marginMs } = this.timing;
    let current = lease;
    let renewedAt = performance.now();
    let pauseMs = renewMs;
    for (;;) {
      await this.pause(pauseMs, signal);
      if (signal.aborted) return current;
      const startedAt = performance.now();
      const renewed = await this.renew(current, signal).catch((error: unknown) => this.notRenewed(error));
      if (renewed === false) return undefined;
      if (renewed) [current, renewedAt] = [renewed, startedAt];
      pauseMs = renewed ? renewMs : retryMs;
      if (performance.now() - renewedAt > leaseMs - marginMs) return undefined;
    }
  }

  /** The renewed Lease; false when it is another's by now. */
  private async renew(lease: LeaseRecord, signal: AbortSignal): Promise<LeaseRecord | false> {
    const { store, identity } = this.options;
    const renewTime = this.clock.now().toISOString();
    const renewed = await store.update({ ...lease, renewTime }, signal);
    if (renewed) return renewed;
    const found = await store.read(signal);
    // Somebody may have changed no more than a label of it.
    if (found?.holder !== identity) return false;
    return store.update({ ...found, renewTime }, signal);
  }

  private notRenewed(error: unknown): undefined {
    this.options.log.warn('could not renew the lease, trying on', { err: error });
  }

  private async workEnded(work: Promise<void>): Promise<void> {
    const timer = setTimeout(() => this.options.onStuck(), this.timing.stopMs);
    await work;
    clearTimeout(timer);
  }

  /** Best effort: a Lease that is not given back runs out. */
  private async release(lease: LeaseRecord): Promise<void> {
    const { store } = this.options;
    const free = { ...lease, holder: '', renewTime: this.clock.now().toISOString() };
    await store.update(free, AbortSignal.timeout(2_000)).catch(() => false);
  }

  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.clock.sleep(ms, signal).catch(() => undefined);
  }
}
