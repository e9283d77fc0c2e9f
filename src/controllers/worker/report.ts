import { isDeepStrictEqual } from 'node:util';
import { conditionsOf } from '../../api/conditions.ts';
import type { Worker, WorkerStatus } from '../../api/worker.ts';
import type { Outcome } from '../../runtime/reconcile.ts';
import { figuresOf } from './figures.ts';
import type { ObservedWorker, ServedWorker } from './observed.ts';
import type { WorkerAction } from './plan.ts';
import { objectedVerdicts, servedVerdicts, type WorkerVerdicts } from './verdicts.ts';

type WorkerPass = Outcome<ObservedWorker, WorkerAction>;

/** Figures change all the time; nobody needs each of them in a stored object. */
const FIGURES_MS = 15_000;

/** The status of a Worker after a pass; undefined: leave it alone. */
export function reportWorker(worker: Worker, pass: WorkerPass, now: Date): WorkerStatus | undefined {
  const { observed } = pass;
  if (worker.metadata.deletionTimestamp !== undefined) return undefined;
  if (!observed) return withoutObservation(worker, pass, now);
  if (observed.kind === 'objected') return objectedStatus(worker, objectedVerdicts(observed.objection), now);
  const next = servedStatus(worker, observed, pass, now);
  return isDue(worker.status, next, observed.figuresWrittenMs, now) ? next : undefined;
}

/** Nothing could be read. What was said before still stands; only the first time something must be said. */
function withoutObservation(worker: Worker, { error }: WorkerPass, now: Date): WorkerStatus | undefined {
  if (!error) return undefined;
  const { reason, message, retry } = error;
  if (retry !== 'never' && worker.status.observedGeneration === worker.metadata.generation) return undefined;
  return objectedStatus(worker, objectedVerdicts({ reason, message, needsChange: retry === 'never' }), now);
}

/** Of a pool that was served before, the figures stay. */
function objectedStatus(worker: Worker, verdicts: WorkerVerdicts, now: Date): WorkerStatus {
  return { ...worker.status, ...judged(worker, verdicts, now) };
}

function servedStatus(worker: Worker, observed: ServedWorker, pass: WorkerPass, now: Date): WorkerStatus {
  const { applied, failed } = pass;
  // Pools work without one; the log says why it is missing.
  const error = failed?.type === 'createBudget' ? undefined : pass.error;
  const scaledTo = applied.flatMap((action) => ('replicas' in action ? [action.replicas] : [])).at(-1);
  const isWritten = applied.some(({ type }) => type === 'createDeployment' || type === 'updateDeployment');
  const verdicts = servedVerdicts({ worker, observed, scaledTo, isWritten, error, failed: failed?.type }, now);
  return { ...figuresOf(worker, observed, scaledTo, now), ...judged(worker, verdicts, now) };
}

function judged({ metadata, status }: Worker, verdicts: WorkerVerdicts, now: Date) {
  const generation = metadata.generation ?? 0;
  return {
    observedGeneration: generation,
    conditions: conditionsOf(status.conditions, verdicts, generation, now),
  };
}

/** At once where replicas, a verdict or the generation changed; figures and wording once in a while. */
function isDue(before: WorkerStatus, next: WorkerStatus, figuresWrittenMs: number, now: Date): boolean {
  return now.getTime() - figuresWrittenMs >= FIGURES_MS || !isDeepStrictEqual(news(before), news(next));
}

function news(status: WorkerStatus) {
  const { observedGeneration, replicas, readyReplicas, updatedReplicas, desiredReplicas } = status;
  const verdicts = status.conditions?.map(({ type, status }) => `${type}=${status}`).sort();
  return { observedGeneration, replicas, readyReplicas, updatedReplicas, desiredReplicas, verdicts };
}
