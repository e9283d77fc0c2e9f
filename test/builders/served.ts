import type { Decision } from '../../src/controllers/worker/decide.ts';
import type { DesiredDeployment } from '../../src/controllers/worker/deployment.ts';
import type { PodActivity } from '../../src/controllers/worker/idle.ts';
import { newMemory } from '../../src/controllers/worker/memory.ts';
import type { ObservedDeployment, ObservedPod, ServedWorker } from '../../src/controllers/worker/observed.ts';
import { aPod, aQueue, NOW_MS } from './worker.ts';

/** A manifest of which only the hashes matter here. */
export const desired: DesiredDeployment = {
  manifest: { metadata: {}, spec: {} },
  templateHash: 'hash-1',
  hash: 'whole-1',
};

/** The Deployment of the Worker, as it should be, of that size. */
export function aDeployment(overrides: Partial<ObservedDeployment> = {}): ObservedDeployment {
  return { uid: 'd-1', owner: 'ours', replicas: 0, hash: 'whole-1', ...overrides };
}

/** A live pod that is up and idle, with one slot. */
export function anActivity(
  name: string,
  overrides: Partial<Omit<PodActivity, 'pod'>> & { readonly pod?: Partial<ObservedPod> } = {},
): PodActivity {
  const { pod, ...rest } = overrides;
  return { state: 'idle', usedSlots: 0, totalSlots: 1, isBlind: false, ...rest, pod: aPod(name, pod) };
}

/** A decision to leave a pool as it is: at zero, with nothing to do. */
export function aDecision(overrides: Partial<Decision> = {}): Decision {
  return {
    ...{ live: [], terminating: [], waiting: 0, expiredClaims: 0, memory: newMemory(NOW_MS) },
    demand: { busySlots: 0, share: 0, slotsPerPod: 1, isHost: false, claims: 0 },
    ...{ target: 0, replicas: 0, retreating: { type: 'none' }, marks: [], reason: 'nothing to do: 0 replicas' },
    ...overrides,
  };
}

/** A pool at zero with nothing to do, as a pass observes it. */
export function aServedWorker(overrides: Partial<ServedWorker> = {}): ServedWorker {
  return {
    ...{ kind: 'served', desired, deployment: aDeployment(), queue: aQueue(), decision: aDecision() },
    ...{ hasBudget: true, queues: 1, figuresWrittenMs: NOW_MS },
    ...overrides,
  };
}
