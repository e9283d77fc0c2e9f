import { asOperatorError, type OperatorError } from '../errors.ts';
import type { Log } from './ports.ts';
import type { PassResult } from './reconcile.ts';
import { WorkQueue, type Priority } from './work-queue.ts';

/** What a controller needs. */
export interface ControllerOptions<Resource> {
  readonly name: string;
  /** The resource as it is now; undefined: it is gone, or needs nothing. */
  readonly find: (key: string) => Resource | undefined;
  readonly pass: (resource: Resource, signal: AbortSignal) => Promise<PassResult>;
  /** Passes in flight, at most. */
  readonly concurrency: number;
  readonly log: Log;
  /** For metrics. */
  readonly onPass?: (result: PassResult, ms: number) => void;
  readonly onTaken?: (priority: Priority, waitedMs: number) => void;
}

/** A stale resource is looked at again when the watch has brought the new one: soon, unless the watch is stuck. */
const CONFLICT = { baseMs: 100, maxMs: 5_000 };
/** Passes that do not end when they are told to are left behind after this. */
const STOP_MS = 4_000;

/** Makes passes over resources whose keys are enqueued, never two over the same one at once. */
export class Controller<Resource> {
  private readonly options: ControllerOptions<Resource>;
  private readonly queue: WorkQueue;
  private readonly stopping = new AbortController();
  private running: Promise<unknown> = Promise.resolve();
  /** The last error that was logged for a key: the same one again is not news. */
  private readonly logged = new Map<string, string>();

  constructor(options: ControllerOptions<Resource>) {
    this.options = options;
    this.queue = new WorkQueue({ ...(options.onTaken && { onTaken: options.onTaken }) });
  }

  /** Keys that are due. */
  get depth(): number {
    return this.queue.depth;
  }

  enqueue(key: string, priority: Priority, afterMs?: number): void {
    this.queue.add(key, priority, afterMs);
  }

  start(): void {
    this.running = Promise.all(Array.from({ length: this.options.concurrency }, () => this.work()));
  }

  /** Gives up the passes in flight and returns when they have ended, or after four seconds. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.queue.close();
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), STOP_MS);
    await Promise.race([this.running, late.promise]);
    clearTimeout(timer);
  }

  private async work(): Promise<void> {
    for (let key = await this.queue.take(); key !== undefined; key = await this.queue.take()) {
      await this.process(key);
    }
  }

  private async process(key: string): Promise<void> {
    const startedAt = performance.now();
    const result = await this.attempt(key);
    if (result) this.options.onPass?.(result, performance.now() - startedAt);
    this.note(key, result?.error);
    this.settle(key, result?.retry ?? 'done');
  }

  /** Undefined where there is nothing to do. */
  private async attempt(key: string): Promise<PassResult | undefined> {
    try {
      const resource = this.options.find(key);
      return resource && (await this.options.pass(resource, this.stopping.signal));
    } catch (thrown) {
      return { retry: 'backoff', actions: 0, statusWritten: false, error: asOperatorError(thrown) };
    }
  }

  private settle(key: string, retry: PassResult['retry']): void {
    if (retry === 'backoff') this.queue.retry(key);
    else if (retry === 'conflict') this.queue.retry(key, CONFLICT);
    else {
      if (typeof retry === 'object') this.queue.add(key, 'resync', retry.afterMs);
      this.queue.done(key);
    }
  }

  private note(key: string, error: OperatorError | undefined): void {
    if (!error || this.stopping.signal.aborted) {
      this.logged.delete(key);
      return;
    }
    if (error.retry === 'conflict' || this.logged.get(key) === error.message) return;
    this.logged.set(key, error.message);
    const fields = { controller: this.options.name, key, reason: error.reason, err: error };
    if (error.reason === 'InternalError') this.options.log.error('a pass failed', fields);
    else this.options.log.warn('a pass could not do all', fields);
  }
}
