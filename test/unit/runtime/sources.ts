import type { KubeObject } from '../../../src/api/resource.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { ListPage, Log, Source, WatchEvent } from '../../../src/runtime/ports.ts';

/** An object with something to project. */
export type Thing = KubeObject & { readonly size?: number };

export const thing = (name: string, resourceVersion: number, more: { uid?: string; size?: number } = {}): Thing => ({
  metadata: { name, namespace: 'ns', uid: more.uid ?? `uid-${name}`, resourceVersion: String(resourceVersion) },
  ...(more.size !== undefined && { size: more.size }),
});

/** Keeps what was said. */
export function memoryLog(): Log & { readonly said: string[] } {
  const said: string[] = [];
  const say = (level: string) => (message: string) => void said.push(`${level}: ${message}`);
  const log = { said, debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  return { ...log, child: () => memoryLog() };
}

/** Time that passes as soon as somebody sleeps; or, while it is `frozen`, never. */
export class EagerClock implements Clock {
  readonly sleeps: number[] = [];
  isFrozen = false;

  now(): Date {
    return new Date(0);
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (!this.isFrozen) setImmediate(resolve);
    });
  }
}

/** One watch that somebody has opened, fed by the test. */
export class OpenWatch {
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
  isOpen = true;
  private readonly steps: Step[] = [];
  private wake: () => void = () => undefined;

  constructor(resourceVersion: string, signal: AbortSignal) {
    this.resourceVersion = resourceVersion;
    this.signal = signal;
    signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  send(...events: readonly WatchEvent<Thing>[]): void {
    this.steps.push(...events);
    this.wake();
  }

  fail(error: unknown): void {
    this.steps.push({ error });
    this.wake();
  }

  end(): void {
    this.steps.push('end');
    this.wake();
  }

  /** As the client does it: ends quietly when the signal is aborted. */
  async *events(): AsyncGenerator<WatchEvent<Thing>, void, undefined> {
    try {
      for (let step = await this.next(); step !== 'end'; step = await this.next()) yield step;
    } finally {
      this.isOpen = false;
    }
  }

  private async next(): Promise<WatchEvent<Thing> | 'end'> {
    while (!this.signal.aborted) {
      const step = this.steps.shift();
      if (typeof step === 'object' && 'error' in step) throw step.error;
      if (step !== undefined) return step;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    return 'end';
  }
}

type Step = WatchEvent<Thing> | { readonly error: unknown } | 'end';
type Page = ListPage<Thing> | { readonly error: unknown } | 'hang';

/** A collection whose every answer the test decides. Pages are given out in order; when there are none left, an empty list. */
export class ScriptedSource implements Source<Thing> {
  readonly name = 'things.example';
  readonly lists: (string | undefined)[] = [];
  readonly watches: OpenWatch[] = [];
  readonly pages: Page[] = [];

  async list({ continue: token, signal }: { continue?: string; signal: AbortSignal }): Promise<ListPage<Thing>> {
    this.lists.push(token);
    const page = this.pages.shift() ?? { items: [], resourceVersion: '1' };
    if (page === 'hang')
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    if ('error' in page) throw page.error;
    return page;
  }

  watch({
    resourceVersion,
    signal,
  }: {
    resourceVersion: string;
    signal: AbortSignal;
  }): AsyncIterable<WatchEvent<Thing>> {
    const opened = new OpenWatch(resourceVersion, signal);
    this.watches.push(opened);
    return opened.events();
  }
}
