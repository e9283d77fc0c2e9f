import type { TemporalClient } from './clients.ts';
import { Cursor } from './cursor.ts';
import { batch, type CustomIDs } from './custom.ts';
import { isAbout, tell, type Entry, type TrackedRuns } from './tracked.ts';
import { among, CLOSED, changedAfter, listRows, LIVE, type Row } from './visibility.ts';

/** What a reading needs. */
export interface ReadingOptions {
  readonly client: TemporalClient;
  readonly prefix: string;
  readonly runs: TrackedRuns;
  readonly custom: CustomIDs;
  readonly hint: (entry: Entry) => void;
}

/** A row that is a minute late is found by the next long query, which comes up to thirty seconds later. */
const OVERLAPS = { shortMs: 5_000, longMs: 90_000, maxMs: 600_000 };

/** Reads the visibility store and says which of the tracked runs its rows are about. All throw an OperatorError. */
export class Reading {
  private readonly options: ReadingOptions;
  private readonly cursor = new Cursor(OVERLAPS);
  private round = 0;
  /** Rows read so far. */
  rows = 0;

  constructor(options: ReadingOptions) {
    this.options = options;
  }

  get cursorHigh(): number | undefined {
    return this.cursor.high;
  }

  get lagMs(): number {
    return this.cursor.largestLagMs;
  }

  /** How many times changes were read. */
  get rounds(): number {
    return this.round;
  }

  /** Forgets where it was: the client leads to another cluster. */
  reset(): void {
    this.cursor.reset();
    this.options.custom.reset();
  }

  /** Finds a place to begin, once: what happened before is not read. */
  async begin(signal: AbortSignal): Promise<void> {
    if (this.cursor.high !== undefined) return;
    const { client, prefix } = this.options;
    // Stores list what closed last first. Where one does not, the beginning is earlier, and more is read once.
    for await (const [latest] of listRows(client, `${CLOSED} AND ${among(prefix, [])}`, signal, 1)) {
      if (latest) this.see(latest);
      return;
    }
  }

  /** Hints at every run of which nobody knew whether it had ended before it was tracked, unless it is listed as live. */
  async listLive(signal: AbortSignal): Promise<void> {
    const unsure = [...this.options.runs.all()].filter((entry) => entry.isUnsure);
    const ids = unsure.map(({ run }) => run.workflowID).filter((id) => !id.startsWith(this.options.prefix));
    const live = new Set<Entry>();
    let prefix: string | undefined = this.options.prefix;
    for (let rest = ids; prefix !== undefined || rest.length > 0; prefix = undefined) {
      const named = batch(rest);
      rest = rest.slice(named.length);
      for (const entry of await this.listed(`${LIVE} AND ${among(prefix, named)}`, signal)) live.add(entry);
    }
    for (const entry of unsure) this.settle(entry, live.has(entry));
  }

  /** Reads what changed since the last time, and a little before. */
  async readChanges(reach: 'short' | 'long', signal: AbortSignal): Promise<void> {
    const { client, custom, prefix } = this.options;
    const { high } = this.cursor;
    const { ids, from } = custom.next(high);
    const isPartial = ids.length < custom.size;
    const since = this.cursor.since(from, isPartial ? 'long' : reach);
    const query = [...(since === undefined ? [] : [changedAfter(since)]), among(prefix, ids)].join(' AND ');
    this.round += 1;
    for await (const page of listRows(client, query, signal)) {
      for (const row of page) this.take(row, isPartial ? undefined : high);
    }
    custom.asked(ids, high);
  }

  private async listed(query: string, signal: AbortSignal): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const page of listRows(this.options.client, query, signal)) {
      for (const row of page) {
        this.see(row);
        entries.push(...this.options.runs.concernedBy(row).filter((entry) => isAbout(entry, row)));
      }
    }
    return entries;
  }

  private settle(entry: Entry, isLive: boolean): void {
    if (entry.isUnsure && !isLive) this.options.hint(entry);
    entry.isUnsure = false;
  }

  private take(row: Row, highBefore: number | undefined): void {
    this.see(row);
    const isEnd = row.closeMs !== undefined && row.status !== 'ContinuedAsNew';
    for (const entry of this.options.runs.concernedBy(row)) {
      if (!isEnd) this.settleIfLive(entry, row);
      else if (tell(entry, row.runID)) this.news(entry, row, highBefore);
    }
  }

  private settleIfLive(entry: Entry, row: Row): void {
    if (row.closeMs === undefined && isAbout(entry, row)) entry.isUnsure = false;
  }

  private news(entry: Entry, row: Row, highBefore: number | undefined): void {
    entry.isUnsure = false;
    // What closed before it was tracked may have been listed for long.
    const wasTracked = entry.since < this.round - 1;
    if (wasTracked && row.closeMs !== undefined) this.cursor.wasMissing(row.closeMs, highBefore);
    this.options.hint(entry);
  }

  private see(row: Row): void {
    this.rows += 1;
    this.cursor.see(Math.max(row.startMs, row.closeMs ?? 0));
  }
}
