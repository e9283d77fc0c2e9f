import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubeClient } from '../../../src/kube/client.ts';
import { connectKube } from '../../../src/kube/connect.ts';
import { until } from '../../cluster/poll.ts';
import { cluster, freshNamespace } from '../../cluster/shared.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { Boxes, clientOf, follow, versionsOf, type Following } from './follow.ts';
import { InjuredApiServer } from './injured.ts';

let shared: LocalCluster;
let server: InjuredApiServer;
let direct: KubeClient;
let injured: KubeClient;
let following: Following | undefined;

beforeAll(async () => {
  shared = await cluster();
  server = await InjuredApiServer.start(shared.kubeconfig);
  direct = connectKube({ kubeconfig: shared.kubeconfig });
  injured = clientOf(server.url);
});
afterEach(() => following?.stop());
afterAll(async () => {
  await Promise.all([direct.close(), injured.close()]);
  await server.stop();
});

/** The same numbers below `max` for the same seed, for ever. */
function numbersFrom(seed: number): (max: number) => number {
  let state = seed;
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * max);
  };
}

const WRITES = 240;
const NAMES = 20;
const seeds = (process.env['STORM_SEEDS'] ?? '1,2').split(',').map(Number);

/** Injures the server in one of all ways. */
function injure(below: (max: number) => number): void {
  const injuries = [
    () => server.cut(),
    () => server.cut(),
    () => (server.isStalled = true),
    () => (server.isDown = true),
    () => (server.delayMs = below(300)),
    () => (server.busy = { calls: 1 + below(3), seconds: 1 }),
    () => (server.broken = { answers: 1 + below(3), bytes: below(2_000) }),
    () => (server.expired = 1 + below(2)),
    () => server.heal(),
    () => server.heal(),
  ];
  injuries[below(injuries.length)]?.();
  // Most injuries are met by new calls only.
  if (below(2) === 0) server.cut();
}

describe('a store under a storm of writes and injuries', () => {
  it.each(seeds)(
    'is what the server has when the storm is over, and so is what its listeners heard: seed %i',
    async (seed) => {
      const below = numbersFrom(seed);
      const namespace = await freshNamespace(shared, 'storm');
      const boxes = new Boxes(direct, namespace);
      following = await follow(injured, namespace, {
        baseMs: 50,
        maxMs: 500,
        silenceMs: 1_500,
        pageSize: 7,
        watchSeconds: 2,
      });
      for (let write = 0; write < WRITES; write += 1) {
        const name = `box-${below(NAMES)}`;
        await (below(4) === 0 ? boxes.delete(name) : boxes.put(name, `${write}`));
        if (below(12) === 0) injure(below);
      }
      server.heal();
      server.cut();
      const wanted = await boxes.versions();
      const { store, heard, happened } = following;
      const isRight = () => JSON.stringify([...versionsOf(store.all())]) === JSON.stringify([...wanted]);
      await until('the store to be what the server has', 30_000, isRight).catch(() => undefined);
      expect(versionsOf(store.all())).toEqual(wanted);
      expect(versionsOf(heard.values())).toEqual(wanted);
      expect(happened.error).toBeGreaterThan(0);
    },
  );
});
