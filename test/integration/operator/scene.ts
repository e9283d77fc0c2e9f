import { Connection } from '@temporalio/client';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { applyCrds, cluster, freshNamespace, freshTemporalNamespace } from '../../cluster/shared.ts';
import { startPythonWorker, type PythonWorker } from '../pythonworker.ts';
import { Chains } from './chains.ts';
import { startOperator, type OperatorOptions, type OperatorProcess } from './process.ts';
import { Runs } from './runs.ts';

/** Everything a run needs: a namespace, a Temporal namespace, a worker on the queue `queue`, and an operator. */
export interface Scene {
  readonly shared: LocalCluster;
  readonly runs: Runs;
  readonly temporalNamespace: string;
  readonly chains: Chains;
  /** May be replaced by a test that kills it. */
  operator: OperatorProcess;
  /** Temporal's CLI in the scene's Temporal namespace. */
  temporal(...args: string[]): Promise<string>;
  close(): Promise<void>;
}

/** What is not usual about a scene. */
export interface SceneOptions {
  /** The cluster to play on; by default the one that all test files share. */
  readonly on?: LocalCluster;
  readonly operator?: OperatorOptions;
}

/** Sets the scene; its connection is called `default` and is ready. */
export async function openScene(prefix: string, options: SceneOptions = {}): Promise<Scene> {
  const shared = options.on ?? (await cluster());
  await applyCrds(shared);
  const runs = new Runs(shared, await freshNamespace(shared, prefix));
  const temporalNamespace = await freshTemporalNamespace(shared, prefix);
  const worker = await startWorker(shared, temporalNamespace);
  const connection = await Connection.connect({ address: shared.temporalAddress });
  const scene: Scene = {
    ...{ shared, runs, temporalNamespace },
    chains: new Chains(connection, temporalNamespace),
    operator: await startOperator(shared, runs.namespace, options.operator),
    temporal: (...args) => shared.temporal([...args, '--namespace', temporalNamespace]),
    close: async () => {
      await scene.operator.kill('SIGTERM');
      await worker[Symbol.asyncDispose]();
      await connection.close();
    },
  };
  await runs.connect(temporalNamespace);
  return scene;
}

async function startWorker(shared: LocalCluster, temporalNamespace: string): Promise<PythonWorker> {
  const worker = await startPythonWorker({
    env: {
      TEMPORAL_ADDRESS: shared.temporalAddress,
      TEMPORAL_NAMESPACE: temporalNamespace,
      TEMPORAL_TASK_QUEUE: 'queue',
      AIWORKFLOW_IDENTITY: 'by-hand',
      AIWORKFLOW_HEARTBEAT_SECONDS: '1',
    },
  });
  await worker.printed('Polling');
  return worker;
}
