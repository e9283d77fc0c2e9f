import type { Worker, WorkerStatus } from '../../api/worker.ts';
import { counted } from './explain.ts';
import { gpusPerPod } from './gpus.ts';
import { WORKER_LABEL } from './names.ts';
import type { ObservedQueue, ServedWorker } from './observed.ts';
import { sum } from './throughput.ts';

/** What is counted, as opposed to judged. */
export type Figures = Omit<WorkerStatus, 'observedGeneration' | 'conditions'>;

/** Size of the pool after the pass: what was asked for just now, or before. */
export function sizeAfter(observed: ServedWorker, scaledTo: number | undefined): number {
  return scaledTo ?? observed.deployment?.replicas ?? 0;
}

/** The figures of a Worker after a pass. What Temporal did not tell this time stays as it was. */
export function figuresOf(worker: Worker, observed: ServedWorker, scaledTo: number | undefined, now: Date): Figures {
  const { decision, desired } = observed;
  const { live } = decision;
  const size = sizeAfter(observed, scaledTo);
  const readyReplicas = live.filter(({ pod }) => pod.isReady).length;
  return {
    replicas: live.length,
    readyReplicas,
    updatedReplicas: live.filter(({ pod }) => pod.templateHash === desired.templateHash).length,
    desiredReplicas: size,
    selector: `${WORKER_LABEL}=${worker.metadata.name}`,
    ready: `${readyReplicas}/${size}`,
    ...temporalFigures(worker.status, observed),
    ...gpuFigures(worker, observed, size),
    ...scaleTime(worker.status, observed, scaledTo, now),
    scaleReason: decision.reason,
  };
}

function temporalFigures(before: WorkerStatus, { decision, queue }: ServedWorker): Figures {
  if (!queue) {
    const { backlog, busySlots, totalSlots, pollers } = before;
    return {
      ...(backlog && { backlog }),
      ...(busySlots !== undefined && { busySlots }),
      ...(totalSlots !== undefined && { totalSlots }),
      ...(pollers !== undefined && { pollers }),
    };
  }
  const { live, memory } = decision;
  return {
    backlog: backlogOf(queue),
    busySlots: sum(live, ({ usedSlots }) => usedSlots),
    totalSlots: sum(live, ({ totalSlots }) => totalSlots ?? 0),
    pollers: live.filter(({ pod }) => memory.pods.get(pod.name)?.pollingSinceMs !== undefined).length,
  };
}

function backlogOf({ activities, workflows }: ObservedQueue): NonNullable<Figures['backlog']> {
  const perMinute = (perSecond: number) => Math.round(perSecond * 60);
  return {
    total: activities.waiting + workflows.waiting,
    activities: activities.waiting,
    workflows: workflows.waiting,
    ageSeconds: Math.round(Math.max(activities.ageSeconds, workflows.ageSeconds)),
    addedPerMinute: perMinute(activities.addedPerSecond + workflows.addedPerSecond),
    dispatchedPerMinute: perMinute(activities.dispatchedPerSecond + workflows.dispatchedPerSecond),
  };
}

function gpuFigures({ spec }: Worker, { decision }: ServedWorker, size: number): Figures {
  const perPod = gpusPerPod(spec);
  if (perPod === 0) return {};
  const stuck = decision.live.filter(({ pod }) => pod.unschedulable !== undefined).length;
  return { gpus: { perPod, requested: perPod * size, pending: perPod * stuck } };
}

function scaleTime(
  { lastScaleTime }: WorkerStatus,
  { deployment }: ServedWorker,
  scaledTo: number | undefined,
  now: Date,
): Figures {
  const isScaled = scaledTo !== undefined && scaledTo !== (deployment?.replicas ?? 0);
  if (isScaled) return { lastScaleTime: now.toISOString() };
  return lastScaleTime === undefined ? {} : { lastScaleTime };
}

/** Pods that are not ready, and why, as far as somebody said so. */
export function whyNotReady({ decision: { live }, deployment }: ServedWorker): string {
  const reasons = live.flatMap(({ pod }) => (pod.isReady ? [] : (pod.unschedulable ?? pod.waitingReason ?? [])));
  const told = [...new Set([deployment?.replicaFailure, ...reasons])].filter((reason) => reason !== undefined);
  const ready = live.filter(({ pod }) => pod.isReady).length;
  return `${counted(ready, 'pod')} ready${told.length === 0 ? '' : `: ${told.slice(0, 3).join('; ')}`}`;
}
