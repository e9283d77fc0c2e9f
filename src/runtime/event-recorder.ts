import { boundBytes } from '../api/conditions.ts';
import { asOperatorError } from '../errors.ts';
import { Pace } from './pace.ts';
import type { EventRecord, EventSink, Log } from './ports.ts';

/** In Events of the same resource with the same words only the count grows, for this long after the last. */
const SERIES_MS = 10 * 60_000;
/** How often a count that has grown is written. */
const SWEEP_MS = 30_000;
/** One resource that has ever new things to say must not bury those of all others. */
const PER_OBJECT = { perSecond: 1 / 60, burst: 25 };
const MAX_NOTE_BYTES = 1_024;
/** More Events than this in waiting are a storm, in which nobody would read the rest. */
const MAX_WAITING = 1_000;
/** Bounds of what is remembered. */
const MAX_SERIES = 4_000;
const MAX_OBJECTS = 4_000;
/** Tries to write one while the API server is away. */
const MAX_TRIES = 5;
/** Least time between two writes. */
const GAP_MS = 50;
const STOP_MS = 2_000;

interface Series {
  readonly event: EventRecord;
  name?: string;
  count: number;
  lastAt: number;
  /** The count that the API server knows, or that was given up. */
  settled: number;
  tries: number;
}

/** Writes Events in the background: a pass never waits for one, nor fails for it. */
export class EventRecorder {
  readonly name = 'event recorder';
  private readonly sink: EventSink;
  private readonly log: Log;
  private readonly series = new Map<string, Series>();
  private readonly paces = new Map<string, Pace>();
  private readonly waiting = new Set<Series>();
  private flushing: Promise<void> | undefined;
  private sweeping: NodeJS.Timeout | undefined;
  private dropped = 0;
  private isStopped = false;

  constructor(sink: EventSink, log: Log) {
    this.sink = sink;
    this.log = log;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Writes what waits, within two seconds. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.sweep();
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), STOP_MS);
    await Promise.race([this.flushing, late.promise]);
    this.waiting.clear();
    clearTimeout(timer);
  }

  /** The first of its kind is written soon; those like it grow its count, twice a minute at most. */
  record(event: EventRecord): void {
    if (this.isStopped) return;
    const series = this.seriesOf({ ...event, note: boundBytes(event.note, MAX_NOTE_BYTES) });
    series.count += 1;
    series.lastAt = Date.now();
    series.tries = 0;
    if (series.count === 1) this.enqueue(series);
    else this.sweepSoon();
  }

  private enqueue(series: Series): void {
    const isStorm = this.waiting.size >= MAX_WAITING;
    if (isStorm || (series.name === undefined && !this.paceOf(series.event.regarding.uid).isTurn())) {
      this.dropped += 1;
      series.settled = series.count;
      this.sweepSoon();
      return;
    }
    this.waiting.add(series);
    this.flushing ??= this.flush();
  }

  private sweepSoon(): void {
    this.sweeping ??= setTimeout(() => this.sweep(), SWEEP_MS).unref();
  }

  private sweep(): void {
    clearTimeout(this.sweeping);
    this.sweeping = undefined;
    if (this.dropped > 0) this.log.warn('too many events, some were not written', { count: this.dropped });
    this.dropped = 0;
    for (const series of this.series.values()) {
      if (series.count > series.settled && !this.waiting.has(series)) this.enqueue(series);
    }
  }

  private seriesOf(event: EventRecord): Series {
    const key = [event.regarding.uid, event.type, event.reason, event.action, event.note].join('\n');
    const known = this.series.get(key);
    const isSame = known && Date.now() - known.lastAt < SERIES_MS;
    const series = isSame ? known : { event, count: 0, lastAt: Date.now(), settled: 0, tries: 0 };
    remember(this.series, key, series, MAX_SERIES);
    return series;
  }

  private paceOf(uid: string): Pace {
    const pace = this.paces.get(uid) ?? new Pace(PER_OBJECT);
    remember(this.paces, uid, pace, MAX_OBJECTS);
    return pace;
  }

  private async flush(): Promise<void> {
    for (const series of this.waiting) {
      await this.write(series).catch((error: unknown) => this.notWritten(series, error));
      this.waiting.delete(series);
      // At the end there is no later sweep that would write what it has grown by meanwhile.
      if (this.isStopped && series.count > series.settled) this.waiting.add(series);
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
    this.flushing = undefined;
  }

  private async write(series: Series): Promise<void> {
    const { event, name, count } = series;
    const at = new Date(series.lastAt);
    if (name === undefined) series.name = (await this.sink.create(event, at)).name;
    if (count > 1 && series.name !== undefined) {
      await this.sink.repeat(series.name, event, { count, lastObservedTime: at });
    }
    series.settled = count;
  }

  /** One that the API server refuses is given up: a namespace that goes, say, takes none any more. */
  private notWritten(series: Series, thrown: unknown): void {
    const { reason } = asOperatorError(thrown);
    series.tries += 1;
    // Events live for an hour or so: this one is gone, the next of its kind begins anew.
    if (reason === 'NotFound') delete series.name;
    if (reason === 'KubernetesUnavailable' && series.tries < MAX_TRIES) this.sweepSoon();
    else series.settled = series.count;
    this.log.debug('could not write an event', { reason: series.event.reason, err: thrown });
  }
}

/** Oldest first, so that what is forgotten is what was silent for longest. */
function remember<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}
