import type { Verdict, Verdicts } from '../../api/conditions.ts';
import type { Worker } from '../../api/worker.ts';
import type { OperatorError } from '../../errors.ts';
import { counted } from './explain.ts';
import { sizeAfter, whyNotReady } from './figures.ts';
import { gpusPerPod } from './gpus.ts';
import type { ServedWorker, WorkerObjection } from './observed.ts';
import type { WorkerAction } from './plan.ts';
import { scalingVerdicts } from './scaling.ts';

/** The conditions of a Worker. */
export type WorkerVerdicts = Verdicts<
  | 'Accepted'
  | 'Ready'
  | 'Available'
  | 'ScalingActive'
  | 'ScalingLimited'
  | 'PendingGpu'
  | 'SlotsMismatch'
  | 'DrainNotSupported'
  | 'TemporalReachable'
  | 'Reconciling'
  | 'Stalled'
>;

/** A pass as its conditions see it. */
export interface Pass {
  readonly worker: Worker;
  readonly observed: ServedWorker;
  /** Size that was asked for in this pass. */
  readonly scaledTo?: number | undefined;
  /** Whether this pass created the Deployment or brought it to another template. */
  readonly isWritten: boolean;
  readonly error?: OperatorError | undefined;
  /** The action that met the error. */
  readonly failed?: WorkerAction['type'] | undefined;
}

const accepted: Verdict = {
  status: 'True',
  reason: 'Reconciled',
  message: 'The spec is valid and its references resolve',
};

/** The conditions of a Worker that cannot be served. */
export function objectedVerdicts({ reason, message, needsChange }: WorkerObjection): WorkerVerdicts {
  const no: Verdict = { status: 'False', reason, message };
  return { Accepted: no, ...unready({ reason, message, because: needsChange ? 'Stalled' : 'Reconciling' }) };
}

/** The conditions of a Worker that is served. kstatus: of Ready, Reconciling and Stalled at most one is True. */
export function servedVerdicts(pass: Pass, now: Date): WorkerVerdicts {
  return {
    Accepted: accepted,
    ...readiness(pass),
    Available: availability(pass),
    ...pendingGpu(pass),
    ...scalingVerdicts(pass, now),
  };
}

/** Why a pool is not ready, and what kstatus should make of it: neither, where only time or the cluster can tell. */
interface Unready {
  readonly reason: Verdict['reason'];
  readonly message: string;
  readonly because?: 'Stalled' | 'Reconciling';
}

function unready({ because, ...verdict }: Unready): WorkerVerdicts {
  const Ready: Verdict = { status: 'False', ...verdict };
  return because ? { Ready, [because]: { status: 'True', ...verdict } } : { Ready };
}

type Check = (pass: Pass) => Unready | undefined;

/** Asked in order; the first objection wins, so the most basic comes first. Scaling is in none of them. */
const checks: readonly Check[] = [finalError, owner, creation, rollout, enoughPods];

function readiness(pass: Pass): WorkerVerdicts {
  for (const check of checks) {
    const objection = check(pass);
    if (objection) return unready(objection);
  }
  const message = `The pool serves the task queue ${pass.worker.spec.taskQueue}`;
  return { Ready: { status: 'True', reason: 'Reconciled', message } };
}

/** Looked at again once in a while all the same: somebody may delete what is in the way. */
const final: ReadonlySet<Verdict['reason']> = new Set(['NameTaken', 'TemplateRejected']);

/** What no waiting mends. */
function finalError({ error }: Pass): Unready | undefined {
  if (!error || !(error.retry === 'never' || final.has(error.reason))) return undefined;
  return { reason: error.reason, message: error.message, because: 'Stalled' };
}

function owner({ worker: { metadata }, observed: { deployment } }: Pass): Unready | undefined {
  if (!deployment || deployment.owner === 'ours') return undefined;
  if (deployment.owner === 'stranger') return { ...nameTaken(metadata.name), because: 'Stalled' };
  const message = `The Deployment ${metadata.name} of an earlier Worker of that name is on its way out`;
  return { reason: 'Progressing', message, because: 'Reconciling' };
}

/** What to say of a Deployment of the Worker's name that is somebody else's. */
export function nameTaken(name: string): { readonly reason: 'NameTaken'; readonly message: string } {
  const message = `The Deployment ${name} belongs to somebody else and is left alone; delete it, or name the Worker differently`;
  return { reason: 'NameTaken', message };
}

function creation({ observed, isWritten, error }: Pass): Unready | undefined {
  if (observed.deployment) return undefined;
  if (error) return { reason: error.reason, message: error.message, because: 'Reconciling' };
  const message = isWritten ? 'The Deployment was just created' : 'The Deployment does not exist yet';
  return { reason: 'Progressing', message, because: 'Reconciling' };
}

function rollout({ observed, isWritten, error }: Pass): Unready | undefined {
  const { deployment, decision, desired } = observed;
  const old = decision.live.filter(({ pod }) => pod.templateHash !== desired.templateHash).length;
  if (deployment?.deadlineExceeded !== undefined) {
    const message = `${deployment.deadlineExceeded}. ${whyNotReady(observed)}`;
    return { reason: 'ProgressDeadlineExceeded', message, because: 'Stalled' };
  }
  const isBehind = deployment?.hash !== desired.hash && !isWritten;
  if (isBehind && error) return { reason: error.reason, message: error.message, because: 'Reconciling' };
  if (old === 0) return undefined;
  const message = `${counted(old, 'pod')} of an earlier template left. ${whyNotReady(observed)}`;
  return { reason: 'RollingOut', message, because: 'Reconciling' };
}

function enoughPods({ worker: { spec }, observed }: Pass): Unready | undefined {
  const ready = observed.decision.live.filter(({ pod }) => pod.isReady).length;
  const needed = spec.scaling.mode === 'Backlog' ? spec.scaling.min : Math.min(1, spec.replicas);
  if (ready >= needed) return undefined;
  return { reason: 'PodsNotReady', message: `${whyNotReady(observed)}; at least ${needed} must be` };
}

function availability({ observed, scaledTo }: Pass): Verdict {
  const { decision, deployment } = observed;
  const ready = decision.live.filter(({ pod }) => pod.isReady).length;
  const size = sizeAfter(observed, scaledTo);
  if (deployment?.replicaFailure !== undefined && decision.live.length < size) {
    return { status: 'False', reason: 'QuotaExceeded', message: deployment.replicaFailure };
  }
  if (ready > 0) return { status: 'True', reason: 'Reconciled', message: 'At least one pod is ready' };
  if (size === 0) return { status: 'True', reason: 'Reconciled', message: 'No pod is needed' };
  return { status: 'False', reason: 'PodsNotReady', message: whyNotReady(observed) };
}

function pendingGpu({ worker: { spec }, observed: { decision } }: Pass): WorkerVerdicts {
  const stuck = decision.live.flatMap(({ pod }) => pod.unschedulable ?? []);
  const [words] = stuck;
  if (words === undefined || gpusPerPod(spec) === 0) return {};
  const message = `${counted(stuck.length, 'pod')} cannot be scheduled: ${words}`;
  return { PendingGpu: { status: 'True', reason: 'Unschedulable', message } };
}
