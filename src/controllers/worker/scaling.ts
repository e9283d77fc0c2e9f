import type { Verdict } from '../../api/conditions.ts';
import { formatDuration } from '../../api/duration.ts';
import { AWAY_MS, fallbackOf } from './decide.ts';
import { needOf, wakeFloorOf } from './desired.ts';
import { counted } from './explain.ts';
import { SLOW_BEAT_MS } from './idle.ts';
import type { Pass, WorkerVerdicts } from './verdicts.ts';

/** The conditions that speak of scaling and of the figures it is made from. */
export function scalingVerdicts(pass: Pass, now: Date): WorkerVerdicts {
  return {
    ScalingActive: scalingActive(pass, now),
    ...scalingLimited(pass),
    ...slotsMismatch(pass),
    ...drainNotSupported(pass),
    ...temporalReachable(pass, now),
  };
}

function scalingActive({ worker: { spec }, observed, error, failed }: Pass, now: Date): Verdict {
  const { mode } = spec.scaling;
  if (mode !== 'Backlog') {
    const message = `In the mode ${mode} the size is that of spec.replicas`;
    return { status: 'False', reason: 'ScalingInactive', message };
  }
  // The template is brought up to date when the pool has been scaled.
  if (error && failed !== 'updateDeployment') {
    return { status: 'False', reason: error.reason, message: error.message };
  }
  if (isAway(observed, now)) {
    const { scaling } = spec;
    const isKept = scaling.fallbackReplicas === undefined;
    const size = isKept ? 'keeps its size' : `goes to ${counted(fallbackOf(scaling, 0), 'replica')}`;
    return { status: 'False', reason: 'TemporalUnavailable', message: `The pool ${size} until Temporal answers` };
  }
  return following(observed);
}

function following({ decision }: Pass['observed']): Verdict {
  const { live, memory, expiredClaims } = decision;
  const start = memory.coldStartMs === undefined ? '' : `; a new pod takes ${formatDuration(memory.coldStartMs)}`;
  const vain = expiredClaims === 0 ? '' : `; ${counted(expiredClaims, 'run')} waited for a pod in vain`;
  const rest = `${start}${vain}`;
  if (live.some(({ state }) => state === 'unknown')) {
    const message = `Pods report more rarely than every ${formatDuration(SLOW_BEAT_MS)} or not at all, so which are idle cannot be known: the pool shrinks by one drained pod at a time, and work longer than shutdownGracePeriod is lost then. Use a worker kit, or set the heartbeat interval of the workers${rest}`;
    return { status: 'True', reason: 'SlowHeartbeat', message };
  }
  return { status: 'True', reason: 'ScalingActive', message: `Replicas follow the task queue${rest}` };
}

function scalingLimited({ worker: { spec }, observed: { decision } }: Pass): WorkerVerdicts {
  if (spec.scaling.mode !== 'Backlog' || !decision.demand) return {};
  const { max } = spec.scaling;
  const need = Math.max(needOf(decision.demand), wakeFloorOf(decision.demand));
  if (need <= max) {
    const message = 'No more replicas are needed than scaling.max allows';
    return { ScalingLimited: { status: 'False', reason: 'WithinLimits', message } };
  }
  const message = `${need} replicas are needed, and scaling.max is ${max}`;
  return { ScalingLimited: { status: 'True', reason: 'AtMaximum', message } };
}

function slotsMismatch({ worker: { spec }, observed: { decision } }: Pass): WorkerVerdicts {
  const { tasksPerReplica } = spec.scaling;
  const other = decision.live.find(({ totalSlots }) => totalSlots !== undefined && totalSlots !== tasksPerReplica);
  if (!other) return {};
  const message = `Pod ${other.pod.name} reports ${counted(other.totalSlots ?? 0, 'slot')}, and scaling.tasksPerReplica is ${tasksPerReplica}; what the pods report counts`;
  return { SlotsMismatch: { status: 'True', reason: 'SlotsDiffer', message } };
}

function drainNotSupported({ observed: { decision } }: Pass): WorkerVerdicts {
  if (decision.memory.drains !== false) return {};
  const message =
    'A pod went on polling after it was told to stop, so what it took then was lost with it; handle SIGTERM, or use a worker kit';
  return { DrainNotSupported: { status: 'True', reason: 'NoDrain', message } };
}

function temporalReachable({ observed }: Pass, now: Date): WorkerVerdicts {
  if (!isAway(observed, now)) return {};
  const { reason = 'TemporalUnavailable', message = 'Temporal does not answer' } = observed.temporal ?? {};
  return { TemporalReachable: { status: 'False', reason, message } };
}

/** An outage shorter than this is nobody's business. */
function isAway({ decision: { memory } }: Pass['observed'], now: Date): boolean {
  return memory.awaySinceMs !== undefined && now.getTime() - memory.awaySinceMs >= AWAY_MS;
}
