import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto, { type temporal } from '@temporalio/proto';

/** Slots of one kind of task in one worker. */
export interface Slots {
  readonly used: number;
  /** Undefined where the worker has no fixed number. */
  readonly total: number | undefined;
  /** Tasks since the worker started, failed ones included. */
  readonly processed: number;
  readonly failed: number;
}

/** What a worker last said of itself. Times by its own clock. */
export interface WorkerBeat {
  /** Unique for one life of the worker; a restarted container is another. */
  readonly instance: string;
  readonly identity: string;
  /** In Kubernetes, the pod's name. */
  readonly hostName: string;
  readonly taskQueue: string;
  readonly status: 'Running' | 'ShuttingDown' | 'ShutDown' | 'Unknown';
  readonly beatAtMs: number;
  readonly startedAtMs: number;
  /** Time since its beat before; undefined for the first. */
  readonly intervalMs: number | undefined;
  readonly slots: {
    readonly activities: Slots;
    readonly localActivities: Slots;
    readonly workflows: Slots;
    readonly nexus: Slots;
  };
}

const { WorkerStatus } = proto.temporal.api.enums.v1;

/** A worker's heartbeat as the server passes it on, where fields that are 0 are absent. */
export function beatOf(beat: temporal.api.worker.v1.WorkerHeartbeat.$Properties): WorkerBeat {
  return {
    ...identityIn(beat),
    status: statusOf(beat.status),
    beatAtMs: optionalTsToMs(beat.heartbeatTime) ?? 0,
    startedAtMs: optionalTsToMs(beat.startTime) ?? 0,
    intervalMs: optionalTsToMs(beat.elapsedSinceLastHeartbeat) || undefined,
    slots: {
      activities: slotsOf(beat.activityTaskSlotsInfo),
      localActivities: slotsOf(beat.localActivitySlotsInfo),
      workflows: slotsOf(beat.workflowTaskSlotsInfo),
      nexus: slotsOf(beat.nexusTaskSlotsInfo),
    },
  };
}

function identityIn({
  workerInstanceKey,
  workerIdentity,
  hostInfo,
  taskQueue,
}: temporal.api.worker.v1.WorkerHeartbeat.$Properties) {
  return {
    instance: workerInstanceKey ?? '',
    identity: workerIdentity ?? '',
    hostName: hostInfo?.hostName ?? '',
    taskQueue: taskQueue ?? '',
  };
}

function statusOf(status: temporal.api.enums.v1.WorkerStatus | null | undefined): WorkerBeat['status'] {
  if (status === WorkerStatus.WORKER_STATUS_RUNNING) return 'Running';
  if (status === WorkerStatus.WORKER_STATUS_SHUTTING_DOWN) return 'ShuttingDown';
  return status === WorkerStatus.WORKER_STATUS_SHUTDOWN ? 'ShutDown' : 'Unknown';
}

function slotsOf(slots: temporal.api.worker.v1.WorkerSlotsInfo.$Properties | null | undefined): Slots {
  const used = count(slots?.currentUsedSlots);
  const free = count(slots?.currentAvailableSlots);
  return {
    used,
    total: slots?.slotSupplierKind === 'Fixed' ? used + free : undefined,
    processed: count(slots?.totalProcessedTasks),
    failed: count(slots?.totalFailedTasks),
  };
}

const count = (value: number | null | undefined) => value ?? 0;
