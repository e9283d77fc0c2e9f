import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../../../src/api/resource.ts';
import { cleanUp } from '../../../../src/controllers/cleanup/cleanup.ts';
import type { CleanupCluster } from '../../../../src/controllers/cleanup/cleanup.ts';
import { OperatorError } from '../../../../src/errors.ts';
import type { Log } from '../../../../src/runtime/ports.ts';

const ours = 'aiworkflow.dev/run';
const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

/** A cluster that a test may injure. `has` is what is left. */
function aCluster(runs: Readonly<Record<string, readonly string[]>>) {
  const has = { operator: true, pods: 2, lease: true, slices: true, runs: new Map(Object.entries(runs)) };
  const cluster: CleanupCluster = {
    stopOperator: () => Promise.resolve(((has.operator = false), 'app=operator')),
    // They take their time to end.
    hasPods: () => Promise.resolve(has.pods-- > 0),
    runs: async function* () {
      expect(has.pods).toBeLessThanOrEqual(0);
      const all = [...has.runs].map(([name, finalizers]) => aRun(name, finalizers));
      yield* [all.slice(0, 3), all.slice(3)];
    },
    removeFinalizer: ({ metadata: { name, finalizers = [] } }, finalizer) =>
      Promise.resolve(
        void has.runs.set(
          name,
          finalizers.filter((each) => each !== finalizer),
        ),
      ),
    deleteLease: () => Promise.resolve(void (has.lease = false)),
    deleteEndpointSlices: () => Promise.resolve(void (has.slices = false)),
  };
  return { has, cluster };
}

const aRun = (name: string, finalizers: readonly string[]): KubeObject => ({
  metadata: { namespace: 'team', name, uid: name, resourceVersion: '1', finalizers },
});

const run = (cluster: CleanupCluster, signal = AbortSignal.timeout(5_000)) =>
  cleanUp(cluster, { finalizer: ours, signal, log: quiet });

describe('cleaning up', () => {
  it('ends the operator before it lets anything go, and leaves only what is not its own', async () => {
    const { has, cluster } = aCluster({ a: [ours], b: [], c: ['x/y', ours, 'z/z'], d: ['x/y'], e: [ours] });
    await run(cluster);
    expect(has).toMatchObject({ operator: false, lease: false, slices: false });
    expect(Object.fromEntries(has.runs)).toEqual({ a: [], b: [], c: ['x/y', 'z/z'], d: ['x/y'], e: [] });
  });

  it('goes on where there is no operator any more', async () => {
    const { has, cluster } = aCluster({ a: [ours] });
    await run({ ...cluster, stopOperator: () => Promise.resolve(undefined), runs: oneRun(has.runs) });
    expect(has.runs.get('a')).toEqual([]);
    expect(has.lease).toBe(false);
  });

  it('reads a run again that changed meanwhile', async () => {
    const { has, cluster } = aCluster({ a: [ours], b: [ours] });
    let changes = 2;
    const removeFinalizer: CleanupCluster['removeFinalizer'] = (object, finalizer) => {
      if (object.metadata.name === 'a' && changes-- > 0) return Promise.reject(failure('Conflict', 'conflict'));
      return cluster.removeFinalizer(object, finalizer);
    };
    await run({ ...cluster, removeFinalizer });
    expect(Object.fromEntries(has.runs)).toEqual({ a: [], b: [] });
  });

  it('names a run that cannot be released, once all others are', async () => {
    const { has, cluster } = aCluster({ a: [ours], b: [ours], c: [ours], d: [ours] });
    const removeFinalizer: CleanupCluster['removeFinalizer'] = (object, finalizer) =>
      object.metadata.name === 'a'
        ? Promise.reject(failure('KubernetesRejected', 'backoff'))
        : cluster.removeFinalizer(object, finalizer);
    await expect(run({ ...cluster, removeFinalizer })).rejects.toThrow(/finalizer off team\/a: no/);
    expect(Object.fromEntries(has.runs)).toEqual({ a: [ours], b: [], c: [], d: [] });
    expect(has.lease).toBe(true);
  });

  it('does not wait for pods longer than it is given', async () => {
    const { has, cluster } = aCluster({ a: [ours] });
    const stuck = { ...cluster, hasPods: () => Promise.resolve(true) };
    await expect(run(stuck, AbortSignal.timeout(20))).rejects.toThrow(/abort/i);
    expect(has.runs.get('a')).toEqual([ours]);
  });
});

function failure(reason: 'Conflict' | 'KubernetesRejected', retry: 'conflict' | 'backoff'): OperatorError {
  return new OperatorError(reason, 'no', { retry });
}

function oneRun(runs: ReadonlyMap<string, readonly string[]>): CleanupCluster['runs'] {
  return async function* () {
    yield [...runs].map(([name, finalizers]) => aRun(name, finalizers));
  };
}
