import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OperatorError } from '../../../src/errors.ts';
import { Controller, type ControllerOptions } from '../../../src/runtime/controller.ts';
import type { PassResult } from '../../../src/runtime/reconcile.ts';
import { memoryLog } from './sources.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const done: PassResult = { retry: 'done', actions: 0, statusWritten: false };
const failed = (
  retry: OperatorError['retry'],
  message = 'no',
  reason: OperatorError['reason'] = 'KubernetesUnavailable',
): PassResult => ({
  ...{ retry, actions: 0, statusWritten: false },
  error: new OperatorError(reason, message, { retry }),
});
const soon = () => jest.advanceTimersByTimeAsync(1);

/** A controller over resources that are their own keys. */
function controller(
  pass: (key: string, signal: AbortSignal) => Promise<PassResult>,
  options: Partial<ControllerOptions<string>> = {},
) {
  const log = memoryLog();
  const find = (key: string) => key;
  return { log, controller: new Controller<string>({ name: 'test', concurrency: 4, log, find, pass, ...options }) };
}

describe('a controller', () => {
  it('makes the passes of users first, then those of completions, then the rest', async () => {
    const order: string[] = [];
    const { controller: one } = controller(async (key) => (order.push(key), done), { concurrency: 1 });
    one.enqueue('resync', 'resync');
    one.enqueue('completion', 'completion');
    one.enqueue('user', 'user');
    one.start();
    await soon();
    expect(order).toEqual(['user', 'completion', 'resync']);
  });

  it('never makes two passes over one key at once, and makes another when it changed meanwhile', async () => {
    const open: PromiseWithResolvers<PassResult>[] = [];
    let atOnce = 0;
    const { controller: one } = controller(async () => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      open.push(Promise.withResolvers<PassResult>());
      const result = await open.at(-1)!.promise;
      atOnce -= 1;
      return result;
    });
    one.start();
    for (let times = 0; times < 5; times += 1) {
      one.enqueue('a', 'user');
      await soon();
    }
    expect(open).toHaveLength(1);
    open[0]!.resolve(done);
    await soon();
    expect(open).toHaveLength(2);
    open[1]!.resolve(done);
    await soon();
    expect(open).toHaveLength(2);
  });

  it('works on as many keys at once as it may, and no more', async () => {
    let atOnce = 0;
    const { controller: one } = controller(() => ((atOnce += 1), new Promise(() => undefined)), { concurrency: 3 });
    for (let index = 0; index < 9; index += 1) one.enqueue(`key-${index}`, 'user');
    one.start();
    await soon();
    expect([atOnce, one.depth]).toEqual([3, 6]);
  });

  it('makes no pass over what is gone', async () => {
    let passes = 0;
    const { controller: one } = controller(async () => ((passes += 1), done), { find: () => undefined });
    one.start();
    one.enqueue('a', 'user');
    await soon();
    expect(passes).toBe(0);
  });

  it('looks again when the pass asked for it', async () => {
    let passes = 0;
    const { controller: one } = controller(async () => ((passes += 1), { ...done, retry: { afterMs: 10_000 } }));
    one.start();
    one.enqueue('a', 'user');
    await jest.advanceTimersByTimeAsync(9_999);
    expect(passes).toBe(1);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(passes).toBe(3);
  });

  it('waits ever longer after failures, and not at all when it has succeeded in between', async () => {
    const at: number[] = [];
    const { controller: one } = controller(async () => (at.push(performance.now()), failed('backoff')));
    one.start();
    one.enqueue('a', 'user');
    await jest.advanceTimersByTimeAsync(600_000);
    const gaps = at.slice(1).map((time, index) => time - at[index]!);
    expect(gaps[0]).toBeLessThanOrEqual(101);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(60_001);
    expect(at.length).toBeLessThan(30);
    expect(at.length).toBeGreaterThan(15);
  });

  it('starts over soon and silently after a conflict, and less and less soon if it does not end', async () => {
    const at: number[] = [];
    const { controller: one, log } = controller(
      async () => (at.push(performance.now()), failed('conflict', 'stale', 'Conflict')),
    );
    one.start();
    one.enqueue('a', 'user');
    await jest.advanceTimersByTimeAsync(100);
    expect(at).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(at.length).toBeLessThan(40);
    expect(log.said).toEqual([]);
  });

  it('leaves alone what failed for good', async () => {
    let passes = 0;
    const { controller: one } = controller(async () => ((passes += 1), failed('never')));
    one.start();
    one.enqueue('a', 'user');
    await jest.advanceTimersByTimeAsync(3_600_000);
    expect(passes).toBe(1);
  });

  it('retries many keys that fail together at a bounded rate, and does not make a user wait for them', async () => {
    const passes: string[] = [];
    const { controller: one } = controller(
      async (key) => (passes.push(key), key === 'urgent' ? done : failed('backoff')),
      { concurrency: 32 },
    );
    for (let index = 0; index < 5_000; index += 1) one.enqueue(`key-${index}`, 'resync');
    one.start();
    await jest.advanceTimersByTimeAsync(100);
    const atFirst = passes.length;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(passes.length - atFirst).toBeLessThanOrEqual(1_000 + 200);
    one.enqueue('urgent', 'user');
    await soon();
    expect(passes).toContain('urgent');
  });

  it('survives a pass and a lookup that throw', async () => {
    const { controller: one, log } = controller(() => Promise.reject(new TypeError('mine')), {
      find: (key) => {
        if (key === 'bad') throw new Error('no such index');
        return key;
      },
      concurrency: 1,
    });
    one.start();
    one.enqueue('bad', 'user');
    one.enqueue('a', 'user');
    await soon();
    expect(log.said).toEqual(['error: a pass failed', 'error: a pass failed']);
  });

  it('logs the same failure of a key once', async () => {
    const { controller: one, log } = controller(async () => failed('backoff'));
    one.start();
    one.enqueue('a', 'user');
    await jest.advanceTimersByTimeAsync(600_000);
    expect(log.said).toEqual(['warn: a pass could not do all']);
  });

  it('goes by the time that has passed, whatever happens to the clock', async () => {
    let passes = 0;
    const { controller: one } = controller(async () => ((passes += 1), done));
    one.start();
    one.enqueue('a', 'user', 5_000);
    jest.setSystemTime(Date.now() - 24 * 3_600_000);
    await jest.advanceTimersByTimeAsync(5_001);
    expect(passes).toBe(1);
  });

  it('tells those who count what it did', async () => {
    const told: unknown[] = [];
    const { controller: one } = controller(async () => done, {
      onPass: (result) => told.push(result.retry),
      onTaken: (priority, waitedMs) => told.push(priority, waitedMs),
    });
    one.enqueue('a', 'user');
    await jest.advanceTimersByTimeAsync(500);
    one.start();
    await soon();
    expect(told).toEqual(['user', expect.closeTo(500, -1), 'done']);
  });
});

describe('a controller that stops', () => {
  it('has the passes in flight aborted and waits for them, and begins no other', async () => {
    const seen: string[] = [];
    const { controller: one } = controller(
      (key, signal) =>
        new Promise((resolve) => {
          seen.push(key);
          signal.addEventListener('abort', () => setTimeout(() => resolve((seen.push(`${key} ended`), done)), 500));
        }),
      { concurrency: 1 },
    );
    one.start();
    one.enqueue('a', 'user');
    one.enqueue('b', 'user');
    await soon();
    const stopped = one.stop().then(() => seen.push('stopped'));
    one.enqueue('c', 'user');
    await jest.advanceTimersByTimeAsync(600);
    await stopped;
    expect([seen, jest.getTimerCount()]).toEqual([['a', 'a ended', 'stopped'], 0]);
  });

  it('leaves behind a pass that does not end', async () => {
    const { controller: one } = controller(() => new Promise(() => undefined));
    one.start();
    one.enqueue('a', 'user');
    await soon();
    let isStopped = false;
    void one.stop().then(() => (isStopped = true));
    await jest.advanceTimersByTimeAsync(4_001);
    expect([isStopped, jest.getTimerCount()]).toEqual([true, 0]);
  });
});
