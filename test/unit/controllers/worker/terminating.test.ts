import { describe, expect, it } from '@jest/globals';
import { decide, type Decision } from '../../../../src/controllers/worker/decide.ts';
import { newMemory, type ScalingMemory } from '../../../../src/controllers/worker/memory.ts';
import { aPod, aQueue, aWorker, facts, NOW_MS } from '../../../builders/worker.ts';

const { spec } = aWorker({ scaling: { scaleDownDelay: '10s' }, spec: { shutdownGracePeriod: '2m' } });
const pollers = [{ identity: '1@p0' }, { identity: '1@p1' }, { identity: '1@lost' }];
const pods = [aPod('p0'), aPod('p1'), aPod('lost', { isTerminating: true })];

/** The decision about two pods that never tell, beside one that was told to stop at noon and does not go. */
function after(seconds: number): Decision {
  let memory: ScalingMemory = newMemory(NOW_MS);
  const at = (atMs: number) => facts({ current: 2, pods, queue: aQueue({ readAtMs: atMs, pollers }) });
  for (let atMs = NOW_MS; atMs < NOW_MS + seconds * 1000; atMs += 5_000) {
    ({ memory } = decide(spec, at(atMs), memory, atMs));
    // What was taken is given back: only the last decision counts.
    memory = { ...memory, scaleIn: undefined };
  }
  return decide(spec, at(NOW_MS + seconds * 1000), memory, NOW_MS + seconds * 1000);
}

describe('a pod that was told to stop', () => {
  it('is waited for while its grace period lasts: pods that never tell go one at a time', () => {
    expect(after(120)).toMatchObject({ replicas: 2, retreating: { type: 'hold' }, terminating: [{ name: 'lost' }] });
  });

  it('is not waited for when it hangs, for its node is lost', () => {
    expect(after(185)).toMatchObject({ replicas: 1, retreating: { type: 'shrink' }, terminating: [] });
  });
});
