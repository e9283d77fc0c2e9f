import { expect, it } from '@jest/globals';
import type { KubeClient } from '../../../src/kube/client.ts';
import { openCaches } from '../../../src/operator/caches.ts';
import type { Log, Source } from '../../../src/runtime/ports.ts';

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const MAX_OBJECT_MIB = 1.5;

it('no page of any list can be larger than the operator has memory for', async () => {
  const limits = new Map<string, number>();
  const source: KubeClient['source'] = (kind) => {
    const listing: Source<never> = {
      name: kind.plural,
      list: ({ limit }) => {
        limits.set(kind.plural, limit);
        return Promise.resolve({ items: [], resourceVersion: '1' });
      },
      watch: ({ signal }) => untilAborted(signal),
    };
    return listing;
  };
  const { reflectors } = openCaches({ kube: { source }, served: undefined, log: quiet });
  for (const reflector of reflectors) reflector.start();
  await Promise.all(reflectors.map((reflector) => reflector.synced()));
  await Promise.all(reflectors.map((reflector) => reflector.stop()));
  expect(limits.size).toBe(reflectors.length);
  for (const limit of limits.values()) expect(limit * MAX_OBJECT_MIB).toBeLessThanOrEqual(32);
});

// eslint-disable-next-line require-yield -- a watch on which nothing happens
async function* untilAborted(signal: AbortSignal): AsyncGenerator<never> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
