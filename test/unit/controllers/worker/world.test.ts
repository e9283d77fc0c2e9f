import { describe, expect, it } from '@jest/globals';
import { observedPods } from '../../../../src/controllers/worker/world.ts';
import type { ContainerState } from '../../../../src/kube/types.ts';
import { aKubePod } from '../../../builders/poolworld.ts';
import { aWorker } from '../../../builders/worker.ts';

type States = Readonly<Record<string, ContainerState>>;

/** The one pod whose containers are in these states; its Worker works in the container of that name. */
function podWith(states: States, workerContainer: string) {
  const containerStatuses = Object.entries(states).map(([name, state]) => ({
    ...{ name, state },
    ready: false,
    restartCount: 3,
  }));
  const [pod] = observedPods([aKubePod(aWorker(), 'p', { containerStatuses })], workerContainer);
  return pod!;
}

const running: ContainerState = { running: {} };
const crashing: ContainerState = { waiting: { reason: 'CrashLoopBackOff' } };

describe('a pod', () => {
  it.each<[string, States, boolean]>([
    ['has a process while its worker runs', { worker: running, sidecar: crashing }, true],
    ['has none while its worker does not run, whatever runs beside it', { worker: crashing, sidecar: running }, false],
    ['has one while anything runs where its worker is called otherwise', { main: crashing, sidecar: running }, true],
    ['has none before anything is known of it', {}, false],
  ])('%s', (_, states, hasProcess) => {
    expect(podWith(states, 'worker').hasProcess).toBe(hasProcess);
  });

  it('says why a container does not start, unless it is on its normal way up', () => {
    expect(podWith({ worker: crashing }, 'worker').waitingReason).toBe('container worker: CrashLoopBackOff');
    const starting = { waiting: { reason: 'ContainerCreating' } };
    expect(podWith({ worker: starting }, 'worker').waitingReason).toBeUndefined();
  });
});
