import { Expired, type ListPage, type Source, type WatchEvent } from '../../../src/runtime/ports.ts';
import { thing, type Thing } from './sources.ts';

/** A collection in memory that can be changed, cut off and compacted. */
export class ModelSource implements Source<Thing> {
  readonly name = 'things.example';
  readonly objects = new Map<string, Thing>();
  /** Lists and watches that fail before they answer. */
  refusals = 0;
  private version = 1;
  private oldest = 1;
  private readonly history: { readonly version: number; readonly event: WatchEvent<Thing> }[] = [];
  private readonly wakes = new Set<() => void>();
  private cuts = 0;

  change(name: string): void {
    this.version += 1;
    const type = this.objects.has(name) ? 'MODIFIED' : 'ADDED';
    // What was deleted and made again is another object.
    const uid = this.objects.get(name)?.metadata.uid ?? `${name}-${this.version}`;
    const object = thing(name, this.version, { uid, size: this.version });
    this.objects.set(name, object);
    this.note({ type, object });
  }

  delete(name: string): void {
    const before = this.objects.get(name);
    if (!before) return;
    this.version += 1;
    this.objects.delete(name);
    const metadata = { ...before.metadata, resourceVersion: String(this.version) };
    this.note({ type: 'DELETED', object: { ...before, metadata } });
  }

  /** Forgets all history. */
  compact(): void {
    this.oldest = this.version;
  }

  /** Breaks all watches. */
  cut(): void {
    this.cuts += 1;
    this.wakeAll();
  }

  async list({ limit, continue: token }: { limit: number; continue?: string }): Promise<ListPage<Thing>> {
    this.mayRefuse();
    const [version = this.version, from = 0] = token?.split(' ').map(Number) ?? [];
    if (version < this.oldest) throw new Expired('too old');
    // The state at that version, from the history: a list is consistent over its pages.
    const all = [...this.at(version).values()];
    const next = from + limit < all.length ? { continue: `${version} ${from + limit}` } : {};
    return { items: all.slice(from, from + limit), resourceVersion: String(version), ...next };
  }

  async *watch(options: {
    resourceVersion: string;
    signal: AbortSignal;
  }): AsyncGenerator<WatchEvent<Thing>, void, undefined> {
    this.mayRefuse();
    let version = Number(options.resourceVersion);
    const { cuts } = this;
    while (!options.signal.aborted) {
      if (cuts !== this.cuts) throw new Error('the connection is broken');
      if (version < this.oldest) throw new Expired('too old');
      const next = this.history.find((entry) => entry.version > version);
      if (!next) await this.news(options.signal);
      else {
        version = next.version;
        yield next.event;
      }
    }
  }

  private at(version: number): Map<string, Thing> {
    const state = new Map<string, Thing>();
    for (const { event } of this.history.filter((entry) => entry.version <= version)) {
      if (event.type === 'BOOKMARK') continue;
      if (event.type === 'DELETED') state.delete(event.object.metadata.name);
      else state.set(event.object.metadata.name, event.object);
    }
    return state;
  }

  private mayRefuse(): void {
    if (this.refusals === 0) return;
    this.refusals -= 1;
    throw new Error('refused');
  }

  private note(event: WatchEvent<Thing>): void {
    this.history.push({ version: this.version, event });
    this.wakeAll();
  }

  private wakeAll(): void {
    for (const wake of this.wakes) wake();
    this.wakes.clear();
  }

  private news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.wakes.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
