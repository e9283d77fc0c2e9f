import type { WorkerSpec } from '../../api/worker.ts';
import type { PoolFacts } from './decide.ts';
import { needOf, wakeFloorOf } from './desired.ts';
import type { Retreat } from './scalein.ts';
import type { Sensed } from './sense.ts';

/** What was decided, to be put into words. */
export interface Choice {
  readonly target: number;
  readonly replicas: number;
  readonly retreating: Retreat;
}

/** Why a pool has the size it has: `25 tasks waiting, 3 slots busy: 4 replicas`. */
export function explain(spec: WorkerSpec, facts: PoolFacts, sensed: Sensed, choice: Choice): string {
  return `${why(spec, facts, sensed)}: ${counted(choice.replicas, 'replica')}${rest(spec, choice)}`;
}

function why({ scaling }: WorkerSpec, { isSizeKept, queue }: PoolFacts, { demand, live }: Sensed): string {
  if (scaling.mode !== 'Backlog') return isSizeKept ? 'as before the mode changed' : 'as spec.replicas says';
  if (!demand || !queue) return 'Temporal does not answer';
  const waiting = queue.activities.waiting + queue.workflows.waiting;
  const need = needOf(demand);
  if (wakeFloorOf(demand) > need) return counted(demand.claims, 'new run');
  if (waiting + demand.busySlots > 0) {
    return `${counted(waiting, 'task')} waiting, ${counted(demand.busySlots, 'slot')} busy`;
  }
  return live.some(({ state }) => state === 'busy') ? 'nothing waits, pods still work or start' : 'nothing to do';
}

function rest({ scaling }: WorkerSpec, { target, replicas, retreating }: Choice): string {
  if (target > replicas) return `, on the way to ${target}`;
  if (target === replicas) return '';
  if (retreating.type === 'hold') return `, ${target} wanted, but ${retreating.because}`;
  return retreating.type === 'none'
    ? `, ${target} after scaleDownDelay (${scaling.scaleDownDelay})`
    : `, ${target} next`;
}

/** `1 task`, `2 tasks`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
