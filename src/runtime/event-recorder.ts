import { boundBytes } from '../api/conditions.ts';
import type { EventRecord, EventSink, Log } from './ports.ts';

/** In Events of the same resource with the same words only the count grows, for this long after the last. */
const SERIES_MS = 10 * 60_000;
const MAX_NOTE_BYTES = 1_024;
/** More Events than this in waiting are a storm, in which nobody would read the rest. */
const MAX_WAITING = 1_000;
const MAX_SERIES = 4_000;
/** Least time between two writes. */
const GAP_MS = 50;
const STOP_MS = 2_000;

interface Series {
  readonly event: EventRecord;
  name?: string;
  count: number;
  lastAt: number;
  /** The count that the API server knows. */
  written: number;
}

/** Writes Events in the background: a pass never waits for one, nor fails for it. */
export class EventRecorder {
  readonly name = 'event recorder';
  private readonly sink: EventSink;
  private readonly log: Log;
  private readonly series = new Map<string, Series>();
  private readonly waiting = new Set<Series>();
  private flushing: Promise<void> | undefined;
  private dropped = 0;

  constructor(sink: EventSink, log: Log) {
    this.sink = sink;
    this.log = log;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Writes what waits, within two seconds. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.waiting.clear(), STOP_MS);
    await this.flushing;
    clearTimeout(timer);
  }

  record(event: EventRecord): void {
    const cut = { ...event, note: boundBytes(event.note, MAX_NOTE_BYTES) };
    const series = this.seriesOf(cut);
    series.count += 1;
    series.lastAt = Date.now();
    if (this.waiting.size >= MAX_WAITING && !this.waiting.has(series)) this.drop();
    else this.waiting.add(series);
    this.flushing ??= this.flush();
  }

  private drop(): void {
    this.dropped += 1;
    if (this.dropped === 1) this.log.warn('too many events, some are not written', {});
  }

  private seriesOf(event: EventRecord): Series {
    const key = [event.regarding.uid, event.type, event.reason, event.action, event.note].join('\n');
    const known = this.series.get(key);
    this.series.delete(key);
    const isSame = known && Date.now() - known.lastAt < SERIES_MS;
    const series = isSame ? known : { event, count: 0, lastAt: Date.now(), written: 0 };
    // Oldest first, so that what is forgotten is what was silent for longest.
    this.series.set(key, series);
    const [oldest] = this.series.keys();
    if (this.series.size > MAX_SERIES && oldest !== undefined) this.series.delete(oldest);
    return series;
  }

  private async flush(): Promise<void> {
    for (const series of this.waiting) {
      this.waiting.delete(series);
      await this.write(series).catch((error: unknown) => {
        this.log.debug('could not write an event', { reason: series.event.reason, err: error });
      });
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
    this.flushing = undefined;
  }

  private async write(series: Series): Promise<void> {
    const { event, name, count } = series;
    const at = new Date(series.lastAt);
    if (count === series.written) return;
    if (name === undefined) series.name = (await this.sink.create(event, at)).name;
    if (count > 1 && series.name !== undefined) {
      await this.sink.repeat(series.name, event, { count, lastObservedTime: at });
    }
    series.written = count;
  }
}
