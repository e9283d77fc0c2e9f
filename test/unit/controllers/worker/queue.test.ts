import { describe, expect, it } from '@jest/globals';
import { observeQueue } from '../../../../src/controllers/worker/queue.ts';
import type { WorkerBeat } from '../../../../src/temporal/beat.ts';
import type { QueueFigures } from '../../../../src/temporal/queues.ts';
import { NOW_MS } from '../../../builders/worker.ts';

const figures: QueueFigures = { backlog: 0, ageSeconds: 0, addRatePerSecond: 0, dispatchRatePerSecond: 0 };
const slots = { used: 1, total: 4, processed: 7, failed: 0 };

/** The last beat of a worker that beats every 2 s, sent that many seconds after noon. */
function beat(instance: string, sentAt: number, overrides: Partial<WorkerBeat> = {}): WorkerBeat {
  return {
    ...{ instance, identity: 'pod-1', hostName: 'pod-1', taskQueue: 'queue', status: 'Running' },
    ...{ beatAtMs: NOW_MS + sentAt * 1000, startedAtMs: NOW_MS - 600_000, intervalMs: 2_000 },
    slots: { activities: slots, localActivities: slots, workflows: slots, nexus: slots },
    ...overrides,
  };
}
const startedAt = (seconds: number) => ({ startedAtMs: NOW_MS + seconds * 1000 });

/** The workers that are taken to be alive. */
async function alive(...beats: readonly WorkerBeat[]): Promise<readonly string[]> {
  const queue = { activities: figures, workflows: figures, pollers: [], isRateLimited: false, readAtMs: NOW_MS };
  const reader = { read: async () => queue, workers: async () => ({ beats, readAtMs: NOW_MS }) };
  return (await observeQueue(reader, 'queue')).beats.map(({ instance }) => instance);
}

describe('the workers of a queue', () => {
  it('are all that have reported', async () => {
    expect(await alive(beat('a', 0), beat('b', 0, { hostName: 'pod-2' }))).toEqual(['a', 'b']);
  });

  it('are without one that was killed, as soon as another has come up in its place', async () => {
    expect(await alive(beat('killed', 0), beat('next', 8, startedAt(3)))).toEqual(['next']);
  });

  it.each<[string, WorkerBeat]>([
    ['works beside it in the same pod', beat('next', 8, startedAt(-5))],
    ['has just come up, for the other may only be about to report', beat('next', 3, startedAt(1))],
    ['is of another pod', beat('next', 8, { ...startedAt(3), hostName: 'pod-2' })],
    ['serves another queue', beat('next', 8, { ...startedAt(3), taskQueue: 'other' })],
  ])('lose nobody to one that %s', async (_, other) => {
    expect(await alive(beat('first', 0), other)).toEqual(['first', 'next']);
  });

  it('keep one that reports every minute, while another comes and goes beside it', async () => {
    const slow = beat('slow', 0, { intervalMs: 60_000 });
    expect(await alive(slow, beat('next', 59, startedAt(3)))).toEqual(['slow', 'next']);
  });

  it('are not told apart where they do not say where they are', async () => {
    const nowhere = { hostName: '' };
    expect(await alive(beat('a', 0, nowhere), beat('b', 8, { ...nowhere, ...startedAt(3) }))).toEqual(['a', 'b']);
  });
});
