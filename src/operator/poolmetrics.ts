import type { Worker } from '../api/worker.ts';
import type { ObservedWorker } from '../controllers/worker/observed.ts';
import { sum } from '../controllers/worker/throughput.ts';
import type { Metrics } from '../telemetry/metrics.ts';

type PoolMetrics = Pick<
  Metrics,
  | 'workerBacklog'
  | 'workerBacklogAge'
  | 'workerBusySlots'
  | 'workerDesiredReplicas'
  | 'workerReplicas'
  | 'workerScaleInMisses'
>;

/** Shows the exact figures of a pool, of which the status gets a few only. What Temporal does not tell stays as it was. */
export function showPool(metrics: PoolMetrics, worker: Worker, observed: ObservedWorker): void {
  if (observed.kind === 'objected') return;
  const { decision, queue } = observed;
  const labels = labelsOf(worker);
  metrics.workerDesiredReplicas.set(labels, decision.target);
  metrics.workerReplicas.set(labels, decision.live.length);
  metrics.workerScaleInMisses.set(labels, decision.memory.misses);
  if (!queue) return;
  const { activities, workflows } = queue;
  metrics.workerBacklog.set(labels, activities.waiting + workflows.waiting);
  metrics.workerBacklogAge.set(labels, Math.max(activities.ageSeconds, workflows.ageSeconds));
  metrics.workerBusySlots.set(
    labels,
    sum(decision.live, ({ usedSlots }) => usedSlots),
  );
}

/** The Worker is gone: so are its figures. */
export function hidePool(metrics: PoolMetrics, worker: Worker): void {
  const labels = labelsOf(worker);
  for (const gauge of gaugesOf(metrics)) gauge.remove(labels);
}

/** Another instance leads now, and shows the figures of all pools. */
export function hidePools(metrics: PoolMetrics): void {
  for (const gauge of gaugesOf(metrics)) gauge.reset();
}

function gaugesOf(metrics: PoolMetrics) {
  const { workerBacklog, workerBacklogAge, workerBusySlots } = metrics;
  const { workerDesiredReplicas, workerReplicas, workerScaleInMisses } = metrics;
  return [workerBacklog, workerBacklogAge, workerBusySlots, workerDesiredReplicas, workerReplicas, workerScaleInMisses];
}

function labelsOf({ metadata }: Worker): Readonly<Record<string, string>> {
  return { namespace: metadata.namespace ?? '', worker: metadata.name };
}
