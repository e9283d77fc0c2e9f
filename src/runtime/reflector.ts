import { keyOf, type KubeObject } from '../api/resource.ts';
import { OperatorError } from '../errors.ts';
import { backoffMs } from './backoff.ts';
import { systemClock, type Clock } from './clock.ts';
import { Expired, type Log, type Source, type WatchEvent } from './ports.ts';
import type { Store } from './store.ts';

/** What a reflector needs. */
export interface ReflectorOptions<Raw extends KubeObject, T extends KubeObject> {
  readonly source: Source<Raw>;
  readonly store: Store<T>;
  readonly log: Log;
  /** What is kept of an object; undefined keeps it out of the store. */
  readonly project: (raw: Raw) => T | undefined;
  readonly clock?: Clock;
  readonly timing?: Partial<ReflectorTiming>;
  /** For metrics. */
  readonly onEvent?: (source: string, event: 'list' | 'watch' | 'error' | 'stall') => void;
}

/** How a reflector paces itself. */
export interface ReflectorTiming {
  readonly pageSize: number;
  /** Of one watch; up to twice as long, by chance, so that not all end at once. */
  readonly watchSeconds: number;
  /** A watch that is silent for so long, bookmarks included, is taken for dead. The server sends one a minute. */
  readonly silenceMs: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

const defaults: ReflectorTiming = { pageSize: 500, watchSeconds: 300, silenceMs: 150_000, baseMs: 200, maxMs: 30_000 };

/** So many failures in a row are worth a line in the log: one watch that breaks is everyday life. */
const NEWS = 3;
const MAX_ASKED_MS = 60_000;

/** Keeps a store like a collection on the API server: lists it, then watches it, and never gives up. */
export class Reflector<Raw extends KubeObject, T extends KubeObject = Raw> {
  private readonly options: ReflectorOptions<Raw, T>;
  private readonly timing: ReflectorTiming;
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private readonly firstSync = Promise.withResolvers<undefined>();
  private running: Promise<void> = Promise.resolve();
  /** Where to watch from; undefined: list first. */
  private version: string | undefined;
  private failures = 0;
  isSynced = false;

  constructor(options: ReflectorOptions<Raw, T>) {
    this.options = options;
    this.timing = { ...defaults, ...options.timing };
    this.clock = options.clock ?? systemClock;
  }

  start(): void {
    this.running = this.run(this.stopping.signal);
  }

  /** Returns once the watch is given up. The store stays as it is. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Resolves after the first complete list. */
  async synced(): Promise<void> {
    await this.firstSync.promise;
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.follow(signal).catch((error: unknown) => this.afterError(error, signal));
  }

  private async follow(signal: AbortSignal): Promise<void> {
    if (this.version === undefined) await this.list(signal);
    await this.watch(signal);
  }

  private async afterError(error: unknown, signal: AbortSignal): Promise<void> {
    const { source, log, onEvent } = this.options;
    if (signal.aborted) return;
    if (error instanceof Expired) this.version = undefined;
    onEvent?.(source.name, 'error');
    this.failures += 1;
    if (this.failures === NEWS)
      log.warn('cannot follow a collection, trying on', { collection: source.name, err: error });
    const pauseMs = Math.max(backoffMs(this.failures, this.timing), askedMs(error));
    await this.clock.sleep(pauseMs, signal).catch(() => undefined);
  }

  private async list(signal: AbortSignal): Promise<void> {
    const { source, store, onEvent } = this.options;
    const { pageSize: limit } = this.timing;
    const objects: T[] = [];
    let page = await source.list({ limit, signal });
    for (;;) {
      for (const raw of page.items) objects.push(...this.kept(raw));
      if (!page.continue) break;
      page = await source.list({ limit, signal, continue: page.continue });
    }
    store.replaceAll(objects, page.resourceVersion);
    this.version = page.resourceVersion;
    this.isSynced = true;
    this.firstSync.resolve(undefined);
    onEvent?.(source.name, 'list');
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const { source, onEvent } = this.options;
    const silence = new Silence(this.timing.silenceMs, signal);
    try {
      const timeoutSeconds = Math.ceil(this.timing.watchSeconds * (1 + Math.random()));
      const resourceVersion = this.version ?? '';
      for await (const event of source.watch({ resourceVersion, timeoutSeconds, signal: silence.signal })) {
        silence.broken();
        this.recovered();
        this.take(event);
      }
      if (silence.wasTooLong) onEvent?.(source.name, 'stall');
      // A server that ends every watch at once must not be asked in a tight loop.
      if (!silence.wasBroken && !signal.aborted) await this.clock.sleep(this.timing.baseMs, signal);
      onEvent?.(source.name, 'watch');
    } finally {
      silence.end();
    }
  }

  private recovered(): void {
    const { source, log } = this.options;
    if (this.failures >= NEWS) log.info('following a collection again', { collection: source.name });
    this.failures = 0;
  }

  private take(event: WatchEvent<Raw>): void {
    const { store } = this.options;
    if (event.type === 'BOOKMARK') {
      this.version = event.resourceVersion;
      return;
    }
    const { metadata } = event.object;
    const [object] = event.type === 'DELETED' ? [] : this.kept(event.object);
    if (object) store.set(object);
    else store.delete(keyOf(event.object), metadata.uid);
    this.version = metadata.resourceVersion;
  }

  /** What is to be in the store for an object: nothing, or one. */
  private kept(raw: Raw): readonly T[] {
    const { project, store, source, log } = this.options;
    try {
      const object = project(raw);
      return object === undefined ? [] : [object];
    } catch (error) {
      // One object that nobody can read must not hide all others, nor seem to have gone.
      log.error('an object could not be read', { collection: source.name, key: keyOf(raw), err: error });
      const before = store.get(keyOf(raw));
      return before === undefined ? [] : [before];
    }
  }
}

/** For how long the server asks to be left alone; not believed beyond a minute. */
function askedMs(error: unknown): number {
  const retry = error instanceof OperatorError ? error.retry : undefined;
  return typeof retry === 'object' ? Math.min(retry.afterMs, MAX_ASKED_MS) : 0;
}

/** A signal that is aborted with its parent, and after too long a silence. */
class Silence {
  wasBroken = false;
  wasTooLong = false;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly parent: AbortSignal;
  private readonly giveUp = () => this.controller.abort();

  constructor(ms: number, parent: AbortSignal) {
    this.parent = parent;
    parent.addEventListener('abort', this.giveUp, { once: true });
    // A listener may have stopped us while the list was being taken in.
    if (parent.aborted) this.giveUp();
    this.timer = setTimeout(() => {
      this.wasTooLong = true;
      this.giveUp();
    }, ms);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  broken(): void {
    this.wasBroken = true;
    this.timer.refresh();
  }

  end(): void {
    clearTimeout(this.timer);
    this.parent.removeEventListener('abort', this.giveUp);
    this.giveUp();
  }
}
