import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from '../../../src/runtime/backoff.ts';
import { WorkQueue } from '../../../src/runtime/work-queue.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** What can be taken now, without waiting; each is held. */
async function takeAll(queue: WorkQueue): Promise<string[]> {
  const taken: string[] = [];
  while (queue.depth > 0) taken.push((await queue.take()) ?? '');
  return taken;
}

describe('a work queue', () => {
  it('gives a key once, however often it was added, the most urgent first', async () => {
    const queue = new WorkQueue();
    queue.add('later', 'resync');
    queue.add('ended', 'completion');
    queue.add('edited', 'resync');
    queue.add('edited', 'user');
    expect(await takeAll(queue)).toEqual(['edited', 'ended', 'later']);
  });

  it('never gives a key to two at once, and gives it again if it was added meanwhile', async () => {
    const queue = new WorkQueue();
    queue.add('a', 'user');
    expect(await queue.take()).toBe('a');
    queue.add('a', 'user');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['a']);
  });

  it('keeps the sooner of two times', async () => {
    const queue = new WorkQueue();
    queue.add('a', 'resync', 60_000);
    queue.add('a', 'resync', 1_000);
    queue.add('a', 'resync', 30_000);
    await jest.advanceTimersByTimeAsync(999);
    expect(queue.depth).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(await takeAll(queue)).toEqual(['a']);
  });

  it('waits longer after every failure, and a change by a user cuts that short', async () => {
    const queue = new WorkQueue({ backoff: { baseMs: 1_000, maxMs: 60_000 } });
    queue.add('a', 'user');
    for (let failures = 1; failures <= 3; failures += 1) {
      expect(await takeAll(queue)).toEqual(['a']);
      queue.retry('a');
      await jest.advanceTimersByTimeAsync(1_000 * 2 ** (failures - 1) * 0.5 - 1);
      expect(queue.depth).toBe(0);
      await jest.advanceTimersByTimeAsync(1_000 * 2 ** (failures - 1) * 0.5 + 1);
    }
    expect(await takeAll(queue)).toEqual(['a']);
    queue.retry('a');
    queue.add('a', 'user');
    expect(await takeAll(queue)).toEqual(['a']);
  });

  it('lets nobody starve', async () => {
    const queue = new WorkQueue();
    queue.add('patient', 'resync');
    for (let index = 0; index < 20; index += 1) queue.add(`urgent-${index}`, 'user');
    const firstEight = [];
    for (let index = 0; index < 8; index += 1) firstEight.push(await queue.take());
    expect(firstEight).toContain('patient');
  });

  it('ends whoever waits when it is closed', async () => {
    const queue = new WorkQueue();
    const taking = queue.take();
    queue.close();
    expect(await taking).toBeUndefined();
  });

  it('loses no key and holds none twice, whatever happens', async () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      act: fc.constantFrom('add', 'addLater', 'take', 'done', 'retry'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const queue = new WorkQueue();
        const held = new Set<string>();
        const owed = new Set<string>();
        const acts: Record<string, (key: string) => unknown> = {
          add: (key) => (queue.add(key, 'user'), owed.add(key)),
          addLater: (key) => (queue.add(key, 'resync', 1_000), owed.add(key)),
          done: (key) => held.delete(key) && queue.done(key),
          retry: (key) => held.delete(key) && (queue.retry(key), owed.add(key)),
        };
        const take = async () => {
          const taken = (await queue.take()) ?? '';
          expect(held.has(taken)).toBe(false);
          held.add(taken);
          owed.delete(taken);
        };
        for (const { key, act } of steps) {
          if (act !== 'take') acts[act]?.(key);
          else if (queue.depth > 0) await take();
        }
        for (const key of held) queue.done(key);
        await jest.advanceTimersByTimeAsync(120_000);
        expect(new Set(await takeAll(queue))).toEqual(owed);
      }),
    );
  });
});

describe('backoffMs', () => {
  it('doubles within its bounds, and leaves up to half to chance', () => {
    const bounds = { baseMs: 100, maxMs: 1_000 };
    expect([1, 2, 3, 4, 5, 99].map((failures) => backoffMs(failures, bounds, 1))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(backoffMs(3, bounds, 0)).toBe(200);
  });
});
