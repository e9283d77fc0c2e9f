import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LocalCluster } from '../cluster/cluster.ts';
import { until } from '../cluster/poll.ts';
import { applyCrds, cluster, freshNamespace, freshTemporalNamespace } from '../cluster/shared.ts';
import { Chains } from '../integration/operator/chains.ts';
import { Pools } from '../integration/operator/pools.ts';
import { startOperator, type OperatorProcess } from '../integration/operator/process.ts';
import { Runs } from '../integration/operator/runs.ts';

const count = 200;
const kills = 5;

let shared: LocalCluster;
let temporal: Connection;

beforeAll(async () => {
  shared = await cluster();
  await applyCrds(shared);
  temporal = await Connection.connect({ address: shared.temporalAddress });
});

afterAll(() => temporal.close());

/** A pool of 4 slots, its runs, and an operator that can be killed. */
class Scene {
  readonly runs: Runs;
  readonly temporalNamespace: string;
  operator: OperatorProcess;

  private constructor(runs: Runs, temporalNamespace: string, operator: OperatorProcess) {
    this.runs = runs;
    this.temporalNamespace = temporalNamespace;
    this.operator = operator;
  }

  static async set(): Promise<Scene> {
    const namespace = await freshNamespace(shared, 'many');
    const temporalNamespace = await freshTemporalNamespace(shared, 'many');
    const pools = new Pools(shared, namespace);
    await pools.prepare();
    const scene = new Scene(new Runs(shared, namespace), temporalNamespace, await startOperator(shared, namespace));
    await scene.runs.connect(temporalNamespace);
    await pools.apply('slots', { scaling: { max: 2, tasksPerReplica: 2 } });
    return scene;
  }

  /** All at once; every fourth continues as new twice, for that is where a second start would hide. */
  async applyAll(): Promise<void> {
    const workflowOf = (index: number) =>
      index % 4 === 3
        ? { type: 'ContinueAsNewWorkflow', args: [2] }
        : { type: 'AIWorkflow', args: [`prompt ${index}`] };
    const workerRef = { name: 'slots' };
    const apply = (_: unknown, index: number) =>
      this.runs.apply(`run-${index}`, { ...workflowOf(index), taskQueue: undefined, workerRef });
    await Promise.all(Array.from({ length: count }, apply));
  }

  /** How many have that condition True. */
  async countOf(condition: string): Promise<number> {
    const isTrue = ({ type, status }: { type: string; status: string }) => type === condition && status === 'True';
    return (await this.runs.list()).filter(({ status }) => status.conditions?.some(isTrue)).length;
  }

  async untilCount(condition: string, wanted: number, ms: number): Promise<void> {
    await until(`${wanted} runs to be ${condition}`, ms, async () => (await this.countOf(condition)) >= wanted);
  }

  /** One chain for each run, and it is the one that its status names. */
  async expectOneChainEach(): Promise<void> {
    const chains = await new Chains(temporal, this.temporalNamespace).all();
    const told = (await this.runs.list()).map(({ status }): [string, string[]] => {
      const { workflowID = '', firstRunID = '' } = status.temporal ?? {};
      return [workflowID, [firstRunID]];
    });
    const sorted = (entries: Iterable<readonly [string, Iterable<string>]>) =>
      [...entries].map(([id, firsts]) => [id, ...firsts]).sort();
    expect(sorted(told)).toEqual(sorted(chains));
    expect(told).toHaveLength(count);
  }

  async end(): Promise<void> {
    await this.operator.kill('SIGTERM');
    await shared.api.call(`/api/v1/namespaces/${this.runs.namespace}`, { method: 'DELETE' });
  }
}

describe(`${count} runs applied at once against a pool of 4 slots`, () => {
  it('all succeed, each as one chain and with at most five writes', async () => {
    const scene = await Scene.set();
    await scene.applyAll();
    await scene.untilCount('Succeeded', count, 300_000);
    await scene.expectOneChainEach();
    await until('all finalizers to be off', 60_000, async () =>
      (await scene.runs.list()).every(({ metadata }) => !metadata.finalizers?.length),
    );
    const writes = await scene.runs.writesOfAll();
    expect([...writes.values()].filter((many) => many > 5)).toEqual([]);
    expect(writes.size).toBe(count);
    await scene.end();
  });

  it(`all succeed, each as one chain, though the operator is killed ${kills} times`, async () => {
    const scene = await Scene.set();
    const applied = scene.applyAll();
    for (let kill = 1; kill <= kills; kill += 1) {
      // Spread over the whole story: while runs start, while they run, while they end.
      await scene.untilCount(kill % 2 === 1 ? 'Ready' : 'Succeeded', kill * 25, 120_000);
      await scene.operator.kill('SIGKILL');
      scene.operator = await startOperator(shared, scene.runs.namespace);
    }
    await applied;
    await scene.untilCount('Succeeded', count, 300_000);
    await scene.expectOneChainEach();
    await scene.end();
  });
});
