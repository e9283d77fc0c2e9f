import { describe, expect, it } from '@jest/globals';
import proto from '@temporalio/proto';
import { beatOf } from '../../../src/temporal/beat.ts';
import { timestamp } from '../../builders/temporal.ts';

type Heartbeat = Readonly<Record<string, unknown>>;
const { WorkerHeartbeat } = proto.temporal.api.worker.v1;

/** As it comes over the wire, where a field that is 0 is not there at all. */
const received = (beat: Heartbeat) =>
  beatOf(WorkerHeartbeat.decode(WorkerHeartbeat.encode(WorkerHeartbeat.fromObject(beat)).finish()));

const idleSlots = { used: 0, total: undefined, processed: 0, failed: 0 };

describe('a heartbeat', () => {
  it('of a busy worker is read whole', () => {
    const slots = (used: number, free: number, processed: number, failed: number) => ({
      currentUsedSlots: used,
      currentAvailableSlots: free,
      slotSupplierKind: 'Fixed',
      totalProcessedTasks: processed,
      totalFailedTasks: failed,
    });
    const beat: Heartbeat = {
      workerInstanceKey: 'instance-1',
      workerIdentity: 'pod-1',
      hostInfo: { hostName: 'pod-1' },
      taskQueue: 'queue',
      status: 1,
      heartbeatTime: timestamp(1_767_268_800_250),
      startTime: timestamp(1_767_268_000_000),
      elapsedSinceLastHeartbeat: timestamp(1_001),
      activityTaskSlotsInfo: slots(3, 1, 100, 2),
      localActivitySlotsInfo: slots(1, 99, 5, 0),
      workflowTaskSlotsInfo: slots(0, 10, 7, 1),
      nexusTaskSlotsInfo: slots(2, 8, 9, 3),
    };
    expect(received(beat)).toEqual({
      instance: 'instance-1',
      identity: 'pod-1',
      hostName: 'pod-1',
      taskQueue: 'queue',
      status: 'Running',
      beatAtMs: 1_767_268_800_250,
      startedAtMs: 1_767_268_000_000,
      intervalMs: 1_001,
      slots: {
        activities: { used: 3, total: 4, processed: 100, failed: 2 },
        localActivities: { used: 1, total: 100, processed: 5, failed: 0 },
        workflows: { used: 0, total: 10, processed: 7, failed: 1 },
        nexus: { used: 2, total: 10, processed: 9, failed: 3 },
      },
    });
  });

  it('from which all that is 0 was omitted is one of a worker that does nothing', () => {
    expect(received({})).toEqual({
      instance: '',
      identity: '',
      hostName: '',
      taskQueue: '',
      status: 'Unknown',
      beatAtMs: 0,
      startedAtMs: 0,
      intervalMs: undefined,
      slots: { activities: idleSlots, localActivities: idleSlots, workflows: idleSlots, nexus: idleSlots },
    });
  });

  it('of an idle worker tells how many slots it has, though none is said to be in use', () => {
    const { slots } = received({ activityTaskSlotsInfo: { currentAvailableSlots: 4, slotSupplierKind: 'Fixed' } });
    expect(slots.activities).toEqual({ used: 0, total: 4, processed: 0, failed: 0 });
  });

  it('of a worker without a fixed number of slots tells no number', () => {
    const info = { currentUsedSlots: 2, currentAvailableSlots: 7, slotSupplierKind: 'ResourceBased' };
    expect(received({ activityTaskSlotsInfo: info }).slots.activities).toEqual({
      used: 2,
      total: undefined,
      processed: 0,
      failed: 0,
    });
  });

  it.each([
    [0, 'Unknown'],
    [1, 'Running'],
    [2, 'ShuttingDown'],
    [3, 'ShutDown'],
    [77, 'Unknown'],
  ])('of status %i is %s', (status, expected) => expect(received({ status }).status).toBe(expected));

  it('that is the first has no interval', () => {
    expect(received({ elapsedSinceLastHeartbeat: timestamp(0) }).intervalMs).toBeUndefined();
  });
});
