import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { runAll, untilSignal, type Part, type SignalSource } from '../../../src/runtime/lifecycle.ts';

const never = new Promise<never>(() => undefined);

/** Parts that note what is done to them. */
function parts(said: string[], how: Readonly<Record<string, Partial<Part>>>): Part[] {
  return Object.entries(how).map(([name, given]) => ({
    name,
    start: async () => {
      said.push(`start ${name}`);
      await given.start?.();
    },
    stop: async () => {
      said.push(`stop ${name}`);
      await given.stop?.();
    },
  }));
}

describe('running the parts of a process', () => {
  it('starts them in order and stops them in reverse once the end has come', async () => {
    const said: string[] = [];
    const ended = Promise.withResolvers<string>();
    const all = parts(said, { a: {}, b: {}, c: {} });
    const running = runAll(all, ended.promise, () => {
      said.push('started');
      ended.resolve('SIGTERM');
    });
    await running;
    expect(said).toEqual(['start a', 'start b', 'start c', 'started', 'stop c', 'stop b', 'stop a']);
  });

  it('starts none before the one ahead of it serves', async () => {
    const said: string[] = [];
    const serves = new EventEmitter();
    const ended = Promise.withResolvers<undefined>();
    const running = runAll(
      parts(said, { slow: { start: async () => void (await once(serves, 'now')) }, next: {} }),
      ended.promise,
    );
    await Promise.resolve();
    expect(said).toEqual(['start slow']);
    serves.emit('now');
    await new Promise((resolve) => setImmediate(resolve));
    expect(said).toEqual(['start slow', 'start next']);
    ended.resolve(undefined);
    await running;
  });

  it('stops what it had started when one does not start, and says which and why', async () => {
    const said: string[] = [];
    const broken = {
      start: () => Promise.reject(new Error('the port is taken')),
      stop: () => Promise.reject(new Error('nothing to stop')),
    };
    const failure = await runAll(parts(said, { a: {}, broken, never: {} }), never).catch((error: unknown) => error);
    expect(said).toEqual(['start a', 'start broken', 'stop broken', 'stop a']);
    expect(failure).toMatchObject({ message: 'Could not start broken', cause: { message: 'the port is taken' } });
  });

  it('gives up waiting for one that does not start when the end comes first', async () => {
    const said: string[] = [];
    const started = () => said.push('started');
    const waiting = Promise.withResolvers<never>();
    const ended = Promise.withResolvers<undefined>();
    const running = runAll(
      parts(said, { a: {}, stuck: { start: () => waiting.promise }, c: {} }),
      ended.promise,
      started,
    );
    await new Promise((resolve) => setImmediate(resolve));
    ended.resolve(undefined);
    await running;
    waiting.reject(new Error('too late')); // harms nobody any more
    expect(said).toEqual(['start a', 'start stuck', 'stop stuck', 'stop a']);
  });

  it('gives every part its chance to stop, and tells of all that failed', async () => {
    const said: string[] = [];
    const bad = (name: string) => ({ stop: () => Promise.reject(new Error(name)) });
    const ended = new Promise((resolve) => setImmediate(resolve));
    const running = runAll(parts(said, { a: bad('a'), b: {}, c: bad('c') }), ended);
    const failure = (await running.catch((error: unknown) => error)) as AggregateError;
    expect(failure.errors.map(({ message }: Error) => message)).toEqual(['c', 'a']);
    expect(said).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  });
});

describe('waiting for the signal to end', () => {
  function fakeProcess() {
    const exits: number[] = [];
    const emitter = new EventEmitter();
    const source: SignalSource = {
      on: (signal, listener) => emitter.on(signal, listener),
      exit: (code) => void exits.push(code),
    };
    return { source, exits, send: (signal: string) => void emitter.emit(signal) };
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with %s, and lets the process do the rest', async (signal) => {
    const { source, exits, send } = fakeProcess();
    const ended = untilSignal(source);
    send(signal);
    expect([await ended, exits]).toEqual([signal, []]);
  });

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
  ])('ends the process at once when after %s comes %s', async (first, second) => {
    const { source, exits, send } = fakeProcess();
    const ended = untilSignal(source);
    send(first);
    send(second);
    expect([await ended, exits]).toEqual([first, [1]]);
  });
});
