import { Alarm } from './alarm.ts';
import type { TemporalClient } from './clients.ts';
import { CustomIDs } from './custom.ts';
import { Outage } from './outage.ts';
import { Reading } from './reading.ts';
import { Sweep } from './sweep.ts';
import { TrackedRuns, type Entry, type TrackedRun } from './tracked.ts';

/** Where a watch says what went wrong. */
export interface WatchLog {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What a watch needs. */
export interface CompletionWatchOptions {
  readonly client: TemporalClient;
  /** `<clusterName>/`: what the IDs of our own making begin with. */
  readonly prefix: string;
  /** A tracked run may have ended: read its end. Called once for each closed run of its chain, and sometimes in vain. */
  readonly onHint: (uid: string) => void;
  readonly log?: WatchLog;
  readonly timing?: Partial<WatchTiming>;
}

/** In milliseconds. */
export interface WatchTiming {
  /** Between two queries while anything is tracked. */
  readonly tickMs: number;
  /** Between two queries while nothing is. */
  readonly idleMs: number;
  /** Between two queries that reach far back. */
  readonly longEveryMs: number;
  /** Between two listings of all that runs. */
  readonly listEveryMs: number;
  /** Longest wait after failures. */
  readonly maxBackoffMs: number;
  /** A silence of Temporal's after which everything is looked at anew. */
  readonly awayMs: number;
  readonly sweepEveryMs: number;
  readonly sweepGapMs: number;
}

const defaults: WatchTiming = {
  tickMs: 1_000,
  idleMs: 30_000,
  longEveryMs: 30_000,
  listEveryMs: 3_000,
  maxBackoffMs: 15_000,
  awayMs: 5_000,
  sweepEveryMs: 600_000,
  sweepGapMs: 1_000,
};

/** What a watch has done since it began; for metrics. */
export interface WatchStats {
  readonly tracked: number;
  readonly queries: number;
  readonly rows: number;
  readonly hints: number;
  readonly failures: number;
  /** The longest that a row has come behind later ones. */
  readonly lagMs: number;
}

/**
 * Follows all tracked runs of one Temporal namespace with one query a second,
 * however many they are: it asks the visibility store what was started or
 * closed lately. All it gives are hints.
 */
export class CompletionWatch {
  readonly name = 'completion watch';
  private readonly options: CompletionWatchOptions;
  private readonly timing: WatchTiming;
  private readonly runs = new TrackedRuns();
  private readonly custom = new CustomIDs();
  private readonly reading: Reading;
  private readonly sweep: Sweep;
  private readonly alarm = new Alarm();
  private readonly outage: Outage;
  private readonly stopping = new AbortController();
  private running: Promise<unknown> = Promise.resolve();
  private address: string;
  private hints = 0;
  private longDueAt = 0;
  private listDueAt = 0;

  constructor(options: CompletionWatchOptions) {
    const { client, prefix, timing } = options;
    this.options = options;
    this.timing = { ...defaults, ...timing };
    this.address = client.address;
    this.outage = new Outage(this.timing.tickMs, this.timing.maxBackoffMs);
    const { runs, custom } = this;
    this.reading = new Reading({ client, prefix, runs, custom, hint: (entry) => this.hint(entry) });
    const { sweepEveryMs: everyMs, sweepGapMs: gapMs } = this.timing;
    this.sweep = new Sweep({ client, runs, everyMs, gapMs, onEnded: (uid) => this.tell(uid) });
  }

  /** Begins to watch; returns at once, whether Temporal answers or not. */
  start(): Promise<void> {
    const { signal } = this.stopping;
    this.running = Promise.all([this.watch(signal), this.sweep.run(signal)]);
    return Promise.resolve();
  }

  /** Ends after the call in flight was given up. No hint comes later. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Follows a run until `untrack`. Calling it again is free, and tells the watch a later run of the chain. */
  track(run: TrackedRun): void {
    if (!this.runs.add(run, this.reading.rounds)) return;
    if (!run.workflowID.startsWith(this.options.prefix)) this.custom.add(run.workflowID, this.reading.cursorHigh);
    this.sweep.add(run.uid);
    this.alarm.ringWithin(this.timing.tickMs);
  }

  /** Follows it no more. */
  untrack(uid: string): void {
    const workflowID = this.runs.get(uid)?.run.workflowID;
    this.runs.remove(uid);
    this.sweep.remove(uid);
    if (workflowID !== undefined && !this.runs.hasWorkflowID(workflowID)) this.custom.delete(workflowID);
  }

  stats(): WatchStats {
    const { hints, reading, runs } = this;
    const { failures } = this.outage;
    return { tracked: runs.size, queries: reading.rounds, rows: reading.rows, hints, failures, lagMs: reading.lagMs };
  }

  private async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pauseMs = await this.read(signal).then(
        () => this.afterSuccess(),
        (error: unknown) => this.afterFailure(error, signal),
      );
      await this.alarm.sleep(pauseMs, signal);
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    this.notice(this.options.client.address);
    const now = performance.now();
    await this.reading.begin(signal);
    if (now >= this.listDueAt && this.isAnyUnsure()) {
      await this.reading.listLive(signal);
      this.listDueAt = performance.now() + this.timing.listEveryMs;
    }
    const isLong = now >= this.longDueAt;
    await this.reading.readChanges(isLong ? 'long' : 'short', signal);
    if (isLong) this.longDueAt = now + this.timing.longEveryMs;
  }

  /** Another address may be another cluster, where our times mean nothing. */
  private notice(address: string): void {
    if (address === this.address) return;
    this.address = address;
    this.reading.reset();
    this.doubtAll();
  }

  private afterSuccess(): number {
    const { awayMs, tickMs, idleMs } = this.timing;
    // The store may lag behind by more than usual now, so that rows come too late for the cursor.
    if (this.outage.succeeded() >= awayMs) this.doubtAll();
    return this.runs.size > 0 ? tickMs : idleMs;
  }

  private afterFailure(error: unknown, signal: AbortSignal): number {
    if (signal.aborted) return 0;
    const { isFirst, pauseMs } = this.outage.failed();
    if (isFirst) this.options.log?.warn('Could not read which runs have ended', { err: error });
    return pauseMs;
  }

  private isAnyUnsure(): boolean {
    return [...this.runs.all()].some((entry) => entry.isUnsure);
  }

  private doubtAll(): void {
    for (const entry of this.runs.all()) entry.isUnsure = true;
    this.listDueAt = 0;
  }

  private hint({ run }: Entry): void {
    this.sweep.add(run.uid);
    this.tell(run.uid);
  }

  private tell(uid: string): void {
    this.hints += 1;
    this.options.onHint(uid);
  }
}
