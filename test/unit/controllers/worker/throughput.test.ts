import { describe, expect, it } from '@jest/globals';
import type { Throughput } from '../../../../src/controllers/worker/memory.ts';
import type { Beat } from '../../../../src/controllers/worker/observed.ts';
import {
  meanServiceMs,
  observeThroughput,
  statisticOf,
  stillWaiting,
} from '../../../../src/controllers/worker/throughput.ts';
import { aBeat, NOW_MS } from '../../../builders/worker.ts';

/** Looks, one each second. */
function looked(...looks: readonly (readonly Beat[])[]): Throughput {
  let throughput: Throughput | undefined;
  for (const [index, beats] of looks.entries()) {
    throughput = observeThroughput(throughput, beats, NOW_MS + index * 1000);
  }
  return throughput!;
}

const worker = (processedActivities: number, usedSlots = 1) => [aBeat('p', { processedActivities, usedSlots })];

describe('the mean service time', () => {
  it('is slot time by tasks', () => {
    expect(meanServiceMs(looked(worker(0), worker(2), worker(4), worker(6)))).toBeCloseTo(500, -1);
  });

  it('is unknown before a task has ended', () => {
    expect(meanServiceMs(looked(worker(0), worker(0)))).toBeUndefined();
  });

  it('forgets what is long ago', () => {
    const before = looked(worker(0), worker(10));
    const later = observeThroughput(before, worker(10), NOW_MS + 1_800_000);
    expect(meanServiceMs(later)).toBeUndefined();
  });
});

describe('tasks started', () => {
  it('are those processed and those in work', () => {
    expect(looked(worker(0, 0), worker(3, 2)).started).toBe(5);
  });

  it('do not begin with what was done before we looked', () => {
    expect(looked(worker(1000)).started).toBe(0);
  });

  it('count for a pod that is new', () => {
    const fresh = aBeat('q', { startedAtMs: NOW_MS, usedSlots: 1 });
    expect(looked(worker(7), [...worker(7), fresh]).started).toBe(1);
  });

  it('do not count for a pod that is merely listed again', () => {
    const old = aBeat('q', { processedActivities: 5000 });
    expect(looked(worker(7), [...worker(7), old]).started).toBe(0);
  });

  it('do not fall when a pod goes', () => {
    expect(looked(worker(0, 0), worker(3, 2), []).started).toBe(5);
  });
});

describe('what still waits', () => {
  it('is the statistic less what was started since it was made', () => {
    const statistic = statisticOf(undefined, 25, NOW_MS, 100);
    expect(stillWaiting(statistic, 100)).toBe(25);
    expect(stillWaiting(statistic, 120)).toBe(5);
    expect(stillWaiting(statistic, 140)).toBe(0);
  });

  it.each([
    ['the same figure soon after is the same statistic', 25, 4_000, 0],
    ['the same figure 5 s later is a new one', 25, 5_000, 120],
    ['another figure is a new one', 24, 1_000, 120],
  ])('%s', (_, waiting, laterMs, started) => {
    const first = statisticOf(undefined, 25, NOW_MS, 0);
    expect(statisticOf(first, waiting, NOW_MS + laterMs, 120).started).toBe(started);
  });
});
