import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Store } from '../../../src/runtime/store.ts';
import { ModelSource } from './modelsource.ts';
import { reflect, stopAll, turn, unavailable } from './reflecting.ts';
import { ScriptedSource, thing, type EagerClock, type Thing } from './sources.ts';

afterEach(async () => {
  jest.useRealTimers();
  await stopAll();
});

describe('a reflector that is stopped', () => {
  const states: Readonly<Record<string, (source: ScriptedSource, clock: EagerClock) => Promise<void>>> = {
    'while it lists': async (source) => void source.pages.push('hang'),
    'while it lists the second page': async (source) =>
      void source.pages.push({ items: [], resourceVersion: '1', continue: 'more' }, 'hang'),
    'while it watches': async () => undefined,
    'while it waits after a failure': async (source, clock) => {
      clock.isFrozen = true;
      source.pages.push({ error: unavailable() });
    },
    'while it waits after an empty watch': async (source, clock) => {
      clock.isFrozen = true;
      setImmediate(() => source.watches[0]?.end());
    },
  };

  it.each(Object.keys(states))('leaves neither a watch nor a timer behind: %s', async (state) => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const source = new ScriptedSource();
    const { reflector, clock, told } = reflect(source);
    await states[state]?.(source, clock);
    reflector.start();
    for (let turns = 0; turns < 5; turns += 1) await turn();
    const failures = told.filter((event) => event === 'error').length;
    await reflector.stop();
    expect([source.watches.filter(({ isOpen }) => isOpen).length, jest.getTimerCount()]).toEqual([0, 0]);
    expect(told.filter((event) => event === 'error')).toHaveLength(failures);
    const asked = source.lists.length + source.watches.length;
    await jest.advanceTimersByTimeAsync(600_000);
    expect(source.lists.length + source.watches.length).toBe(asked);
  });

  it('asks for nothing when it had not been started, nor when it is started afterwards', async () => {
    const source = new ScriptedSource();
    const { reflector } = reflect(source);
    await reflector.stop();
    reflector.start();
    await turn();
    expect([source.lists.length, source.watches.length]).toEqual([0, 0]);
  });

  it('opens no watch when a listener stops it amid a list', async () => {
    const source = new ScriptedSource();
    source.pages.push({ items: [thing('a', 1)], resourceVersion: '1' });
    const { reflector, store } = reflect(source, { timing: { silenceMs: 600_000 } });
    const stopped = Promise.withResolvers<undefined>();
    store.onChange(() => void reflector.stop().then(() => stopped.resolve(undefined)));
    reflector.start();
    await stopped.promise;
    expect(source.watches.filter(({ isOpen }) => isOpen)).toEqual([]);
  });
});

describe('a store behind a reflector', () => {
  it('becomes what the server has, whatever happens on the way, and tells of every change', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ act: fc.constant('change' as const), name }) },
      { weight: 3, arbitrary: fc.record({ act: fc.constant('delete' as const), name }) },
      fc.record({ act: fc.constantFrom('cut', 'compact', 'refuse', 'wait') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const source = new ModelSource();
        const { reflector, store } = reflect(source);
        const heard = new Map<string, Thing>();
        store.onChange(({ key, after }) => void (after ? heard.set(key, after) : heard.delete(key)));
        reflector.start();
        for (const { act, ...about } of steps) {
          if ('name' in about) source[act as 'change' | 'delete'](about.name);
          else if (act === 'refuse') source.refusals += 2;
          else if (act === 'wait') await turn();
          else source[act as 'cut' | 'compact']();
        }
        for (let turns = 0; turns < 2_000 && !isSame(store, source); turns += 1) await turn();
        expect(new Set(store.all())).toEqual(new Set(source.objects.values()));
        expect(new Map(store.all().map((object) => [`ns/${object.metadata.name}`, object]))).toEqual(heard);
        await reflector.stop();
      }),
      { numRuns: 60 },
    );
  });
});

function isSame(store: Store<Thing>, { objects }: ModelSource): boolean {
  return store.size === objects.size && store.all().every((object) => objects.get(object.metadata.name) === object);
}
