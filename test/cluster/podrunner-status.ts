import type { Pod } from './podrunner-types.ts';

/** Where a container stands; times are RFC 3339. */
export type ContainerState =
  | { readonly waiting: { readonly reason: string; readonly message?: string } }
  | { readonly running: { readonly startedAt: string } }
  | { readonly terminated: TerminatedState };

/** How a container's process ended. */
export interface TerminatedState {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** A container of a pod that is run. */
export interface ContainerView {
  readonly name: string;
  readonly image: string;
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState?: { readonly terminated: TerminatedState };
}

/** Times of the pod as a whole, which must not move with every report. */
export interface PodTimes {
  readonly startTime: string;
  /** When Ready last changed. */
  readonly readySince: string;
}

/** Whether all its containers run. */
export function isReady(containers: readonly ContainerView[]): boolean {
  return containers.every(({ state }) => 'running' in state);
}

/** The status of a pod, to be merged into what others (the scheduler) wrote there. */
export function podStatus(podIP: string, containers: readonly ContainerView[], times: PodTimes): object {
  const ready = isReady(containers) ? 'True' : 'False';
  const since = { lastTransitionTime: times.readySince };
  return {
    phase: phaseOf(containers),
    startTime: times.startTime,
    hostIP: '127.0.0.1',
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [
      { type: 'Initialized', status: 'True', lastTransitionTime: times.startTime },
      { type: 'ContainersReady', status: ready, ...since },
      { type: 'Ready', status: ready, ...since },
    ],
    containerStatuses: containers.map((container) => ({
      ...container,
      imageID: '',
      ready: 'running' in container.state,
      started: 'running' in container.state,
    })),
  };
}

function phaseOf(containers: readonly ContainerView[]): string {
  const ends = containers.flatMap(({ state }) => ('terminated' in state ? [state.terminated] : []));
  if (ends.length === containers.length) return ends.every(({ exitCode }) => exitCode === 0) ? 'Succeeded' : 'Failed';
  const hasStarted = ({ state, lastState }: ContainerView) => !('waiting' in state) || lastState !== undefined;
  return containers.some(hasStarted) ? 'Running' : 'Pending';
}

/** Whether a container that ended so is started again. */
export function isRestarted(pod: Pod, exitCode: number): boolean {
  const { restartPolicy = 'Always' } = pod.spec;
  return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0);
}

/** Now, to the second, as the API has it. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
