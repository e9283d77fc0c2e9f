import type { KubeObject } from '../api/resource.ts';
import type { Change, ReadStore, Store } from '../runtime/store.ts';

/** Several stores that hold different objects of one kind (a namespace each, say), read as one. */
export class UnionStore<T extends KubeObject> implements ReadStore<T> {
  private readonly stores: readonly Store<T>[];

  constructor(stores: readonly Store<T>[]) {
    this.stores = stores;
  }

  get size(): number {
    return this.stores.reduce((sum, { size }) => sum + size, 0);
  }

  get(key: string): T | undefined {
    for (const store of this.stores) {
      const found = store.get(key);
      if (found) return found;
    }
    return undefined;
  }

  all(): readonly T[] {
    return this.stores.flatMap((store) => store.all());
  }

  by(index: string, value: string): readonly T[] {
    return this.stores.flatMap((store) => store.by(index, value));
  }

  onChange(listener: (change: Change<T>) => void): () => void {
    const stops = this.stores.map((store) => store.onChange(listener));
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** The answer to a write of ours, so that the next pass does not see what was before it. */
  observeWrite(object: T): void {
    for (const store of this.stores) store.observeWrite(object);
  }
}
