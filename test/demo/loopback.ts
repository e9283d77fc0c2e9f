import { join } from 'node:path';
import { exampleImage, operatorImage } from '../builders/images.ts';
import { toolsFor } from '../builders/tools.ts';
import type { LocalCluster } from '../cluster/cluster.ts';
import { repository } from '../cluster/places.ts';
import { runAnnotation } from '../cluster/podrunner.ts';
import { freePorts } from '../cluster/ports.ts';
import { toStderr } from '../cluster/progress.ts';
import { until } from '../cluster/poll.ts';
import { pythonWithKit } from '../integration/pythonenv.ts';
import { clusterOf, howToGoOn } from './embedded.ts';
import { examplePool, operatorNamespace } from './stage.ts';
import type { Stage } from './stage.ts';

const gpuNode = 'gpu-0';
const differences = `You are not root, so this machine gets no real node. What differs from the whole demo:
  - the node with GPUs is make-believe; the scheduler, the controllers and all else of the control plane are real
  - the worker pod is run as a process of this machine, without a container and without an image
  - so is the operator, with the rights of the chart's own ServiceAccount; the pod of its Deployment is make-believe`;

/** A cluster of this machine that needs no root. */
export async function loopbackStage(): Promise<Stage> {
  console.log(differences);
  const cluster = await clusterOf('loopback');
  await operatorImage(toStderr); // of which only the bundle is used
  await addGpus(cluster);
  await runExample(cluster);
  const address = `address: ${cluster.temporalAddress}`;
  const annotated = `template:\n    metadata:\n      annotations:\n        ${runAnnotation}: process\n    spec:`;
  return {
    tools: await toolsFor(cluster.kubeconfig),
    values: { replicas: '1' },
    pool: await examplePool({
      'address: temporal-frontend.temporal:7233': address,
      'template:\n    spec:': annotated,
    }),
    changes: [
      `examples/python-inference/pool.yaml with Temporal's address on this machine, ${cluster.temporalAddress}`,
      `and the annotation ${runAnnotation}, which has its pods run as processes`,
    ],
    afterInstall: () => startOperator(cluster),
    howToGoOn: howToGoOn(cluster),
    close: () => cluster.api.close(),
  };
}

async function addGpus(cluster: LocalCluster): Promise<void> {
  const found = await cluster.kubectl(['get', 'node', gpuNode, '--ignore-not-found', '--output=name']);
  if (found === '') await cluster.addGpuNode({ name: gpuNode, gpus: 2 });
}

async function runExample(cluster: LocalCluster): Promise<void> {
  const script = join(repository, 'examples/python-inference/worker.py');
  const entrypoint = [await pythonWithKit(), script];
  const env = { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' };
  await cluster.runPods({ images: { [exampleImage]: { entrypoint, env } } });
}

async function startOperator(cluster: LocalCluster): Promise<void> {
  const name = 'operator';
  if ((await cluster.processes()).includes(name)) await cluster.kill(name, 'SIGTERM');
  const [health = 0] = await freePorts(1);
  const flags = {
    kubeconfig: await cluster.kubeconfigFor({ namespace: operatorNamespace, name: 'aiworkflow' }),
    'pod-namespace': operatorNamespace,
    'lease-name': 'aiworkflow',
    'bind-address': '127.0.0.1',
    'health-port': String(health),
    'metrics-port': '0',
  };
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const bundle = join(repository, 'dist/aiworkflow.mjs');
  await cluster.start({ name, program: process.execPath, args: [bundle, 'operator', ...args] });
  await until('the operator to be ready', 30_000, async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok);
}
