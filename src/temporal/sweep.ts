import { Alarm } from './alarm.ts';
import type { TemporalClient } from './clients.ts';
import { describeRun } from './describe.ts';
import type { TrackedRun, TrackedRuns } from './tracked.ts';

/** What a sweep needs. */
export interface SweepOptions {
  readonly client: TemporalClient;
  readonly runs: TrackedRuns;
  /** Told of a run that is not running any more. */
  readonly onEnded: (uid: string) => void;
  /** Least time between two looks at the same run; up to a fifth more. */
  readonly everyMs: number;
  /** Least time between any two looks. */
  readonly gapMs: number;
}

/**
 * Looks at every tracked run once in a long while, so that an end which every
 * other source missed is found at last. Costs at most one call per `gapMs`.
 */
export class Sweep {
  private readonly options: SweepOptions;
  private readonly alarm = new Alarm();
  /** When to look at a run again, by uid; about in the order of that. */
  private readonly dueAt = new Map<string, number>();

  constructor(options: SweepOptions) {
    this.options = options;
  }

  add(uid: string): void {
    const { everyMs } = this.options;
    this.dueAt.delete(uid);
    this.dueAt.set(uid, performance.now() + everyMs * (1 + Math.random() / 5));
  }

  remove(uid: string): void {
    this.dueAt.delete(uid);
  }

  /** Sweeps until the signal is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [next] = this.dueAt;
      if (next && next[1] <= performance.now()) await this.look(next[0], signal);
      await this.alarm.sleep(this.options.gapMs, signal);
    }
  }

  private async look(uid: string, signal: AbortSignal): Promise<void> {
    const run = this.options.runs.get(uid)?.run;
    if (!run) {
      this.remove(uid);
      return;
    }
    // First, so that a run that cannot be looked at does not hold up all others.
    this.add(uid);
    const isLive = await this.isLive(run, signal).catch(() => true);
    if (!isLive && this.options.runs.get(uid)) this.options.onEnded(uid);
  }

  private async isLive({ workflowID, firstRunID }: TrackedRun, signal: AbortSignal): Promise<boolean> {
    const current = await describeRun(this.options.client, { workflowID }, signal, 'statistics');
    return current?.firstRunID === firstRunID && current.isLive;
  }
}
