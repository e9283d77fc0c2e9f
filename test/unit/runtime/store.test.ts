import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from '../../../src/api/resource.ts';
import { Store, type Change } from '../../../src/runtime/store.ts';

type Thing = KubeObject & { readonly owner?: string };

const thing = (name: string, resourceVersion: number, owner?: string, uid = name): Thing => ({
  metadata: { name, namespace: 'ns', uid, resourceVersion: String(resourceVersion) },
  ...(owner !== undefined && { owner }),
});
const byOwner = { owner: ({ owner }: Thing) => (owner === undefined ? [] : [owner]) };
const names = (things: readonly Thing[]) => things.map(({ metadata }) => metadata.name).sort();

describe('a store', () => {
  it('files objects under what they say now', () => {
    const store = new Store<Thing>(byOwner);
    store.set(thing('a', 1, 'x'));
    store.set(thing('b', 2, 'x'));
    store.set(thing('a', 3, 'y'));
    expect([names(store.by('owner', 'x')), names(store.by('owner', 'y'))]).toEqual([['b'], ['a']]);
    store.delete('ns/b');
    expect(store.by('owner', 'x')).toEqual([]);
  });

  it('has an index that is what filtering everything would give, whatever happens', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      owner: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
      isDeletion: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const store = new Store<Thing>(byOwner);
        steps.forEach(({ name, owner, isDeletion }, index) => {
          if (isDeletion) store.delete(`ns/${name}`);
          else store.set(thing(name, index, owner));
        });
        for (const value of ['x', 'y']) {
          expect(names(store.by('owner', value))).toEqual(names(store.all().filter(({ owner }) => owner === value)));
        }
      }),
    );
  });

  it('tells only of what really changed when everything is listed anew', () => {
    const store = new Store<Thing>();
    for (const one of [thing('same', 1), thing('changed', 2), thing('gone', 3)]) store.set(one);
    const changes: Change<Thing>[] = [];
    store.onChange((change) => changes.push(change));
    store.replaceAll([thing('same', 1), thing('changed', 5), thing('new', 6)], '7');
    const said = changes.map(({ key, before, after }) => [
      key,
      before?.metadata.resourceVersion,
      after?.metadata.resourceVersion,
    ]);
    expect(said).toEqual([
      ['ns/gone', '3', undefined],
      ['ns/changed', '2', '5'],
      ['ns/new', undefined, '6'],
    ]);
  });

  it('is not taken back behind a write of ours by a watch that is late', () => {
    const store = new Store<Thing>();
    store.set(thing('a', 1));
    store.observeWrite(thing('a', 5, 'ours'));
    store.set(thing('a', 3, 'late'));
    expect(store.get('ns/a')?.owner).toBe('ours');
    store.set(thing('a', 6, 'later'));
    expect(store.get('ns/a')?.owner).toBe('later');
  });

  it('believes a list of a server that was restored from a backup', () => {
    const store = new Store<Thing>();
    store.set(thing('a', 100));
    store.replaceAll([thing('a', 7, 'restored')], '9');
    expect(store.get('ns/a')?.owner).toBe('restored');
  });

  it('does not bring back what was deleted meanwhile, nor its predecessor', () => {
    const store = new Store<Thing>();
    store.observeWrite(thing('a', 5));
    expect(store.get('ns/a')).toBeUndefined();
    store.set(thing('a', 6, 'new', 'uid-2'));
    store.observeWrite(thing('a', 9, 'old', 'uid-1'));
    store.delete('ns/a', 'uid-1');
    expect(store.get('ns/a')?.owner).toBe('new');
  });

  it('goes on when a listener throws', () => {
    const errors: unknown[] = [];
    const store = new Store<Thing>({}, (error) => errors.push(error));
    const seen: string[] = [];
    store.onChange(() => {
      throw new Error('mine');
    });
    store.onChange(({ key }) => seen.push(key));
    store.set(thing('a', 1));
    expect([seen, errors.length, store.size]).toEqual([['ns/a'], 1, 1]);
  });
});
