import { keyOf, type KubeObject } from '../api/resource.ts';

/** What happened to one object: it came (no `before`), changed, or went (no `after`). */
export interface Change<T> {
  readonly key: string;
  readonly before?: T;
  readonly after?: T;
}

/** The objects of one kind as of a moment ago. */
export interface ReadStore<T extends KubeObject> {
  readonly size: number;
  /** `key` is `<namespace>/<name>`, or the name of a cluster-scoped object. */
  get(key: string): T | undefined;
  all(): readonly T[];
  /** Those that the index of that name files under `value`. */
  by(index: string, value: string): readonly T[];
  /** Calls `listener` after every change. Returns how to stop. */
  onChange(listener: (change: Change<T>) => void): () => void;
}

/** Under which values an index files an object. */
export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** Objects by key and by index. Written by a reflector. */
export class Store<T extends KubeObject> implements ReadStore<T> {
  private readonly objects = new Map<string, T>();
  private readonly indexes: Indexes<T>;
  private readonly filed = new Map<string, Set<string>>();
  private readonly listeners = new Set<(change: Change<T>) => void>();
  /** Versions of our own writes that the watch has not shown yet. */
  private readonly written = new Map<string, bigint>();
  private readonly onError: (error: unknown) => void;

  /** `onError`: a listener or an index that throws harms neither the store nor the others. */
  constructor(indexes: Indexes<T> = {}, onError: (error: unknown) => void = () => undefined) {
    this.indexes = indexes;
    this.onError = onError;
  }

  get size(): number {
    return this.objects.size;
  }

  get(key: string): T | undefined {
    return this.objects.get(key);
  }

  all(): readonly T[] {
    return [...this.objects.values()];
  }

  by(index: string, value: string): readonly T[] {
    return [...(this.filed.get(`${index}=${value}`) ?? [])].flatMap((key) => this.objects.get(key) ?? []);
  }

  onChange(listener: (change: Change<T>) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** What the watch says. Nothing happens where we have written a later version ourselves. */
  set(object: T): void {
    const key = keyOf(object);
    const before = this.objects.get(key);
    const written = this.written.get(key);
    if (written !== undefined && before?.metadata.uid === object.metadata.uid && versionOf(object) < written) return;
    this.written.delete(key);
    this.put(key, object);
  }

  /** What the watch says; an object of the same name that came later stays. */
  delete(key: string, uid?: string): void {
    const before = this.objects.get(key);
    if (!before || (uid !== undefined && before.metadata.uid !== uid)) return;
    this.written.delete(key);
    this.objects.delete(key);
    this.file(key, before, undefined);
    this.tell({ key, before });
  }

  /** What a list says; `resourceVersion` is the list's. Objects that it lacks are gone. */
  replaceAll(objects: readonly T[], resourceVersion: string): void {
    const listed = numberOf(resourceVersion);
    for (const [key, written] of this.written) if (written <= listed) this.written.delete(key);
    const keys = new Set(objects.map((object) => keyOf(object)));
    for (const key of [...this.objects.keys()]) if (!keys.has(key)) this.delete(key);
    for (const object of objects) this.set(object);
  }

  /** The answer to a write of ours: from now on nobody sees what was before it. */
  observeWrite(object: T): void {
    const key = keyOf(object);
    const before = this.objects.get(key);
    // Gone meanwhile, or another one: what we wrote to is history.
    if (before?.metadata.uid !== object.metadata.uid || versionOf(object) <= versionOf(before)) return;
    this.written.set(key, versionOf(object));
    this.put(key, object);
  }

  private put(key: string, after: T): void {
    const before = this.objects.get(key);
    if (before && isSame(before, after)) return;
    this.objects.set(key, after);
    this.file(key, before, after);
    this.tell({ key, after, ...(before && { before }) });
  }

  private file(key: string, before: T | undefined, after: T | undefined): void {
    for (const index of Object.keys(this.indexes)) {
      for (const name of before ? this.namesIn(index, before) : []) this.unfile(name, key);
      for (const name of after ? this.namesIn(index, after) : []) {
        this.filed.set(name, (this.filed.get(name) ?? new Set()).add(key));
      }
    }
  }

  private namesIn(index: string, object: T): readonly string[] {
    try {
      return (this.indexes[index]?.(object) ?? []).map((value) => `${index}=${value}`);
    } catch (error) {
      this.onError(error);
      return [];
    }
  }

  private unfile(name: string, key: string): void {
    const keys = this.filed.get(name);
    keys?.delete(key);
    if (keys?.size === 0) this.filed.delete(name);
  }

  private tell(change: Change<T>): void {
    for (const listener of this.listeners) {
      try {
        listener(change);
      } catch (error) {
        this.onError(error);
      }
    }
  }
}

function isSame({ metadata: before }: KubeObject, { metadata: after }: KubeObject): boolean {
  return before.uid === after.uid && before.resourceVersion === after.resourceVersion;
}

const versionOf = ({ metadata }: KubeObject) => numberOf(metadata.resourceVersion);

/** Kubernetes 1.35 made it official that versions of one kind compare as numbers. */
function numberOf(resourceVersion: string): bigint {
  return /^\d+$/.test(resourceVersion) ? BigInt(resourceVersion) : 0n;
}
