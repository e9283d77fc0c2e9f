import { systemClock, type Clock } from './clock.ts';
import { Hold } from './hold.ts';
import { LeaseClaims, type Claimed } from './lease-claims.ts';
import type { LeaseRecord, LeaseStore, Log } from './ports.ts';

/** One time of leading. */
export interface Term {
  /** Aborted when leadership is lost or given up: from then on nothing may be written any more. */
  readonly signal: AbortSignal;
  /** Whether something may be written at this very moment; false also where the process was too busy to notice the loss. */
  readonly isHeld: () => boolean;
  /** Grows whenever another becomes the holder. */
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

/** For giving the Lease back. */
const RELEASE_MS = 2_000;

/** Holds a Lease when nobody else does, and works only while it holds it. */
export class LeaderElection {
  readonly name = 'leader election';
  private readonly options: LeaderElectionOptions;
  private readonly timing: ElectionTiming;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private readonly claims: LeaseClaims;
  private running: Promise<void> = Promise.resolve();
  isLeader = false;
  /** Whether the Lease could be read, and was ours or another's: this one leads, or stands by. */
  isStanding = false;

  constructor(options: LeaderElectionOptions) {
    this.options = options;
    this.timing = { ...defaults, ...options.timing };
    this.clock = options.clock ?? systemClock;
    const { store, identity } = options;
    this.claims = new LeaseClaims({ store, identity, clock: this.clock, timing: this.timing });
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
    const claimed = await this.claims.claim(signal, () => (this.isStanding = true));
    if (!claimed) return;
    await this.holdTerm(claimed, signal);
    // Whoever else stands goes first, and work that fails at once is not tried in a tight loop.
    await this.pause(this.timing.retryMs, signal);
  }

  private async afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.options.log.warn('could not stand for election, trying on', { err: error });
    await this.pause(this.timing.retryMs * (0.5 + Math.random()), signal);
  }

  private async holdTerm({ lease, since }: Claimed, signal: AbortSignal): Promise<void> {
    const { log, identity, lead } = this.options;
    const { leaseMs, marginMs } = this.timing;
    const hold = new Hold(leaseMs - marginMs, since);
    const end = () => hold.end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    log.info('leading', { identity, epoch: lease.transitions });
    this.isLeader = true;
    const work = lead({ signal: hold.signal, isHeld: () => hold.isHeld(), epoch: lease.transitions })
      .catch((error: unknown) => log.error('leading failed', { err: error }))
      .finally(end);
    const last = await this.renewUntil(lease, hold);
    end();
    this.isLeader = false;
    signal.removeEventListener('abort', end);
    await this.workEnded(work);
    log.info('not leading any more', { identity });
    if (last) await this.release(last);
  }

  /** Renews until the term ends. Returns the Lease as last known, unless it is another's by now. */
  private async renewUntil(lease: LeaseRecord, hold: Hold): Promise<LeaseRecord | undefined> {
    const { renewMs, retryMs } = this.timing;
    let current = lease;
    let pauseMs = renewMs;
    for (;;) {
      await this.pause(pauseMs, hold.signal);
      if (!hold.isHeld()) return current;
      const startedAt = performance.now();
      const renewed = await this.renew(current, hold.signal).catch((error: unknown) => this.notRenewed(error, hold));
      if (renewed === false) return undefined;
      if (renewed) {
        current = renewed;
        hold.extend(startedAt);
      }
      pauseMs = renewed ? renewMs : retryMs;
    }
  }

  /** The Lease with a new time, or with no holder; false when it is another's by now. */
  private async renew(lease: LeaseRecord, signal: AbortSignal, holder = lease.holder): Promise<LeaseRecord | false> {
    const { store, identity } = this.options;
    const renewTime = this.clock.now().toISOString();
    const renewed = await store.update({ ...lease, holder, renewTime }, signal);
    if (renewed) return renewed;
    const found = await store.read(signal);
    // Somebody may have changed no more than a label of it, or our last write was done though nobody told us.
    if (found?.holder !== identity) return false;
    return store.update({ ...found, holder, renewTime }, signal);
  }

  private notRenewed(error: unknown, hold: Hold): undefined {
    if (hold.isHeld()) this.options.log.warn('could not renew the lease, trying on', { err: error });
  }

  private async workEnded(work: Promise<void>): Promise<void> {
    const timer = setTimeout(() => this.options.onStuck(), this.timing.stopMs);
    await work;
    clearTimeout(timer);
  }

  /** Best effort: a Lease that is not given back runs out. */
  private async release(lease: LeaseRecord): Promise<void> {
    await this.renew(lease, AbortSignal.timeout(RELEASE_MS), '').catch(() => false);
  }

  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.clock.sleep(ms, signal).catch(() => undefined);
  }
}
