import { describe, expect, it } from '@jest/globals';
import type { Scaling } from '../../../../src/api/worker.ts';
import type { ConnectionEntry } from '../../../../src/controllers/connection/directory.ts';
import { decide } from '../../../../src/controllers/worker/decide.ts';
import { newMemory, type ScalingMemory } from '../../../../src/controllers/worker/memory.ts';
import { aConnection } from '../../../builders/connection.ts';
import { PoolScene } from '../../../builders/poolserver.ts';
import { aPod, aWorker, facts, NOW_MS } from '../../../builders/worker.ts';

const spec = { connectionRef: { name: 'temporal' } };
const since = new Date(NOW_MS);

/** How a connection fares whose Secret went away, after a restart of the operator, or whose Temporal does. */
const unusable: Partial<ConnectionEntry> = {
  client: undefined,
  server: undefined,
  problem: { reason: 'SecretNotFound', message: 'Secret cloud does not exist', since },
};
const away: Partial<ConnectionEntry> = { awaySince: since };

/** A pool whose connection does not work; tasks wait, but nobody can know it. */
const aScene = (scaling: Partial<Scaling>, entry = unusable, replicas = 1) =>
  new PoolScene(aWorker({ scaling, spec: { ...spec, replicas } }), { connection: aConnection(), entry, waiting: 7 });

describe.each([
  ['cannot be used', unusable],
  ['leads to a Temporal that is away', away],
])('a pool whose connection %s', (_, entry) => {
  it('has at least its minimum', async () => {
    const scene = aScene({ min: 2 }, entry);
    await scene.pass();
    expect(scene.server.deployment(scene.worker)?.spec.replicas).toBe(2);
    expect(scene.condition('Accepted')?.status).toBe('True');
  });

  it('has the size that spec.replicas says in the mode Fixed', async () => {
    const scene = aScene({ mode: 'Fixed' }, entry, 3);
    await scene.pass();
    scene.worker = { ...scene.worker, spec: { ...scene.worker.spec, replicas: 5 } };
    await scene.pass();
    expect(scene.server.deployment(scene.worker)?.spec.replicas).toBe(5);
  });

  it('gets a Deployment back that somebody deleted', async () => {
    const scene = aScene({ min: 1 }, entry);
    await scene.pass();
    scene.server.put('deployments', 'team-a/gpu-pool', undefined);
    await scene.pass();
    expect(scene.server.deployment(scene.worker)?.spec.replicas).toBe(1);
  });

  it('goes to fallbackReplicas when that lasts, and says what is wrong', async () => {
    const scene = aScene({ fallbackReplicas: 4 }, entry);
    await scene.pass();
    expect(scene.condition('TemporalReachable')).toBeUndefined();
    scene.world.nowMs += 15_000;
    await scene.pass();
    expect(scene.server.deployment(scene.worker)?.spec.replicas).toBe(4);
    expect(scene.condition('ScalingActive')).toMatchObject({ status: 'False', reason: 'TemporalUnavailable' });
    const said = entry.problem
      ? { reason: 'SecretNotFound', message: expect.stringMatching(/TemporalConnection temporal.*Secret cloud/) }
      : { reason: 'TemporalUnavailable' };
    expect(scene.condition('TemporalReachable')).toMatchObject({ status: 'False', ...said });
  });
});

it.each<[string, Partial<ConnectionEntry>, string]>([
  ['does not exist any more', { problem: { reason: 'ConnectionNotFound', message: 'm', since } }, 'ConnectionNotFound'],
  ['has a spec that is refused', { problem: { reason: 'InvalidSpec', message: 'm', since } }, 'ConnectionNotReady'],
])('a Worker whose connection %s is not served', async (_, entry, reason) => {
  const scene = aScene({ min: 1 }, { ...unusable, ...entry });
  await scene.pass();
  expect(scene.condition('Accepted')).toMatchObject({ status: 'False', reason });
  expect(scene.server.deployment(scene.worker)).toBeUndefined();
});

describe('the size of a pool that lost Temporal long ago', () => {
  /** The first other size that is decided within six minutes on a pool whose pods have been silent, or the one it has. */
  function sizeOf(scaling: Partial<Scaling>, current: number): string {
    const { spec: given } = aWorker({ scaling });
    const pods = Array.from({ length: current }, (_, index) => aPod(`p${index}`));
    let memory: ScalingMemory = newMemory(NOW_MS);
    for (let atMs = NOW_MS; atMs < NOW_MS + 360_000; atMs += 5_000) {
      const decision = decide(given, facts({ current, pods, queue: undefined }), memory, atMs);
      if (decision.replicas !== current) return `${decision.replicas} on the way to ${decision.target}`;
      ({ memory } = decision);
    }
    return `${current} for good`;
  }

  it.each<[string, Partial<Scaling>, number, string]>([
    ['stays as it is', {}, 3, '3 for good'],
    ['stays at zero', {}, 0, '0 for good'],
    ['never exceeds max', { max: 8, fallbackReplicas: 20 }, 3, '7 on the way to 8'],
    ['never falls below min', { min: 2, fallbackReplicas: 0 }, 3, '2 on the way to 2'],
    ['falls to fallbackReplicas by one drained pod at a time', { fallbackReplicas: 1 }, 3, '2 on the way to 1'],
    ['falls to zero where that is asked for', { fallbackReplicas: 0 }, 1, '0 on the way to 0'],
  ])('%s', (_, scaling, current, expected) => {
    expect(sizeOf(scaling, current)).toBe(expected);
  });
});
