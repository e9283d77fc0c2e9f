import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { OperatorError } from '../../../src/errors.ts';
import { Expired } from '../../../src/runtime/ports.ts';
import type { Change } from '../../../src/runtime/store.ts';
import { names, reflect, stopAll, turn, unavailable, watchOf } from './reflecting.ts';
import { ScriptedSource, thing, type Thing } from './sources.ts';

afterEach(async () => {
  jest.useRealTimers();
  await stopAll();
});

describe('a reflector', () => {
  it('lists page by page, then watches from the version of the list', async () => {
    const source = new ScriptedSource();
    source.pages.push(
      { items: [thing('a', 1), thing('b', 2)], resourceVersion: '9', continue: 'more' },
      { items: [thing('c', 3)], resourceVersion: '9' },
    );
    const { reflector, store } = reflect(source);
    reflector.start();
    expect(reflector.isSynced).toBe(false);
    await reflector.synced();
    expect([source.lists, names(store), reflector.isSynced]).toEqual([[undefined, 'more'], ['a', 'b', 'c'], true]);
    expect((await watchOf(source, 0)).resourceVersion).toBe('9');
  });

  it('shows nothing of a list before it is complete', async () => {
    const source = new ScriptedSource();
    source.pages.push({ items: [thing('a', 1)], resourceVersion: '9', continue: 'more' }, 'hang');
    const { reflector, store } = reflect(source);
    reflector.start();
    await turn();
    expect([source.lists.length, store.size, reflector.isSynced]).toEqual([2, 0, false]);
  });

  it('takes in what the watch says, and goes on from its last word when it ends', async () => {
    const source = new ScriptedSource();
    const { reflector, store } = reflect(source);
    reflector.start();
    const first = await watchOf(source, 0);
    first.send({ type: 'ADDED', object: thing('a', 5) }, { type: 'ADDED', object: thing('b', 6) });
    first.send({ type: 'DELETED', object: thing('a', 7) }, { type: 'MODIFIED', object: thing('b', 8, { size: 3 }) });
    first.end();
    const second = await watchOf(source, 1);
    expect([second.resourceVersion, names(store), source.lists.length]).toEqual(['8', ['b'], 1]);
    second.send({ type: 'BOOKMARK', resourceVersion: '77' });
    second.end();
    expect((await watchOf(source, 2)).resourceVersion).toBe('77');
  });

  it('begins a list anew whose next page is too old', async () => {
    const source = new ScriptedSource();
    source.pages.push(
      { items: [thing('gone', 1)], resourceVersion: '9', continue: 'old' },
      { error: new Expired('too old') },
      { items: [thing('a', 12)], resourceVersion: '20' },
    );
    const { reflector, store } = reflect(source);
    reflector.start();
    expect((await watchOf(source, 0)).resourceVersion).toBe('20');
    expect([source.lists, names(store)]).toEqual([[undefined, 'old', undefined], ['a']]);
  });

  it('lists anew when its version is too old to watch from, and tells of what it missed', async () => {
    const source = new ScriptedSource();
    source.pages.push({ items: [thing('gone', 1), thing('kept', 2)], resourceVersion: '2' });
    source.pages.push({ items: [thing('kept', 2), thing('new', 30)], resourceVersion: '40' });
    const { reflector, store } = reflect(source);
    reflector.start();
    const watch = await watchOf(source, 0);
    const changes: Change<Thing>[] = [];
    store.onChange((change) => changes.push(change));
    watch.fail(new Expired('too old'));
    expect((await watchOf(source, 1)).resourceVersion).toBe('40');
    expect(changes.map(({ key, before, after }) => [key, !!before, !!after])).toEqual([
      ['ns/gone', true, false],
      ['ns/new', false, true],
    ]);
  });

  it.each([
    ['the API server is away', unavailable()],
    ['it is forbidden', new OperatorError('KubernetesForbidden', 'no', { retry: 'backoff' })],
    ['it is said to be pointless', new OperatorError('KubernetesRejected', 'no', { retry: 'never' })],
    ['a defect', new TypeError('undefined is not a function')],
    ['no error at all', 'a text'],
  ])('waits ever longer and resumes where it was after every failure of a watch: %s', async (_, error) => {
    const source = new ScriptedSource();
    const { reflector, clock, log } = reflect(source);
    reflector.start();
    (await watchOf(source, 0)).send({ type: 'ADDED', object: thing('a', 5) });
    for (let index = 0; index < 6; index += 1) (await watchOf(source, index)).fail(error);
    const last = await watchOf(source, 6);
    expect([source.lists.length, new Set(source.watches.slice(1).map((watch) => watch.resourceVersion))]).toEqual([
      1,
      new Set(['5']),
    ]);
    [100, 200, 400, 800, 1_000, 1_000].forEach((full, index) => {
      expect(clock.sleeps[index]).toBeGreaterThanOrEqual(full / 2);
      expect(clock.sleeps[index]).toBeLessThanOrEqual(full);
    });
    last.send({ type: 'BOOKMARK', resourceVersion: '6' });
    last.fail(error);
    await watchOf(source, 7);
    expect(clock.sleeps.at(-1)).toBeLessThanOrEqual(100);
    expect(log.said).toEqual(['warn: cannot follow a collection, trying on', 'info: following a collection again']);
  });

  it('never gives a list up', async () => {
    const source = new ScriptedSource();
    for (let index = 0; index < 10; index += 1) source.pages.push({ error: unavailable() });
    const { reflector, clock, told } = reflect(source);
    reflector.start();
    await reflector.synced();
    expect([source.lists.length, clock.sleeps.length, told.filter((event) => event === 'error').length]).toEqual([
      11, 10, 10,
    ]);
  });

  it('leaves the server alone for as long as it asks to be, within reason', async () => {
    const source = new ScriptedSource();
    source.pages.push({ error: unavailable({ afterMs: 7_000 }) }, { error: unavailable({ afterMs: 3_600_000 }) });
    const { reflector, clock } = reflect(source);
    reflector.start();
    await reflector.synced();
    expect(clock.sleeps).toEqual([7_000, 60_000]);
  });

  it('does not hurry when the server ends every watch at once', async () => {
    const source = new ScriptedSource();
    const { reflector, clock } = reflect(source);
    reflector.start();
    for (let index = 0; index < 4; index += 1) (await watchOf(source, index)).end();
    await watchOf(source, 4);
    expect(clock.sleeps).toEqual([100, 100, 100, 100]);
  });

  it('gives a watch up that says nothing, and not one that has bookmarks only', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const source = new ScriptedSource();
    const { reflector, told } = reflect(source);
    reflector.start();
    const first = await watchOf(source, 0);
    for (let minute = 0; minute < 5; minute += 1) {
      await jest.advanceTimersByTimeAsync(4_000);
      first.send({ type: 'BOOKMARK', resourceVersion: String(10 + minute) });
      await turn();
    }
    expect([first.isOpen, told]).toEqual([true, ['list']]);
    await jest.advanceTimersByTimeAsync(5_000);
    const second = await watchOf(source, 1);
    expect([first.isOpen, second.resourceVersion, told]).toEqual([false, '14', ['list', 'stall', 'watch']]);
  });

  it('keeps out what is projected away', async () => {
    const source = new ScriptedSource();
    source.pages.push({ items: [thing('small', 1, { size: 1 }), thing('big', 2, { size: 9 })], resourceVersion: '2' });
    const { reflector, store } = reflect(source, { project: (raw) => ((raw.size ?? 0) > 5 ? undefined : raw) });
    reflector.start();
    (await watchOf(source, 0)).send({ type: 'MODIFIED', object: thing('small', 3, { size: 8 }) });
    await turn();
    expect(names(store)).toEqual([]);
  });

  it('is not stopped by an object that cannot be read, and keeps what it knew of it', async () => {
    const source = new ScriptedSource();
    const poison = (raw: Thing) => {
      if (raw.size === 13) throw new Error('cannot be read');
      return raw;
    };
    source.pages.push({ items: [thing('bad', 1, { size: 13 }), thing('good', 2, { size: 1 })], resourceVersion: '2' });
    const { reflector, store, log } = reflect(source, { project: poison });
    reflector.start();
    const watch = await watchOf(source, 0);
    expect(names(store)).toEqual(['good']);
    watch.send({ type: 'MODIFIED', object: thing('good', 3, { size: 13 }) }, { type: 'ADDED', object: thing('c', 4) });
    await turn();
    expect([names(store), store.get('ns/good')?.size, watch.isOpen]).toEqual([['c', 'good'], 1, true]);
    expect(log.said.filter((line) => line.startsWith('error'))).toHaveLength(2);
    watch.send({ type: 'DELETED', object: thing('good', 5, { size: 13 }) });
    await turn();
    expect(names(store)).toEqual(['c']);
  });

  it('is not stopped by a listener that throws', async () => {
    const source = new ScriptedSource();
    const { reflector, store, errors } = reflect(source);
    store.onChange(() => {
      throw new Error('mine');
    });
    reflector.start();
    const watch = await watchOf(source, 0);
    watch.send({ type: 'ADDED', object: thing('a', 2) }, { type: 'ADDED', object: thing('b', 3) });
    await turn();
    expect([names(store), errors.length, watch.isOpen]).toEqual([['a', 'b'], 2, true]);
  });
});
