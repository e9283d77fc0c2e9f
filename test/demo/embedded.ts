import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { operatorImage, pythonInferenceImage } from '../builders/images.ts';
import { toolsFor } from '../builders/tools.ts';
import { attach } from '../cluster/cluster.ts';
import type { LocalCluster } from '../cluster/cluster.ts';
import { launch } from '../cluster/launch.ts';
import { cacheRoot } from '../cluster/places.ts';
import { narrate, toStderr } from '../cluster/progress.ts';
import { readState } from '../cluster/state.ts';
import type { ClusterMode } from '../cluster/state.ts';
import { removeCluster } from '../cluster/teardown.ts';
import { examplePool, imageValues } from './stage.ts';
import type { Stage } from './stage.ts';

/** The name of the demo's own cluster. */
export const instance = 'demo';

/** A cluster of this machine with a real node, which stays after the demo; the one of an earlier demo where it is up. */
export async function embeddedStage(): Promise<Stage> {
  const cluster = await clusterOf('node');
  const operator = await operatorImage(toStderr);
  const example = await pythonInferenceImage(toStderr);
  for (const image of [operator, example]) await cluster.addImage(image);
  return {
    tools: await toolsFor(cluster.kubeconfig),
    values: imageValues(operator.tag),
    pool: await examplePool(),
    changes: [],
    howToGoOn: howToGoOn(cluster),
    close: () => cluster.api.close(),
  };
}

/** The demo's cluster in that mode, started if it is not up. One that is broken or of the other mode is replaced. */
export async function clusterOf(mode: ClusterMode): Promise<LocalCluster> {
  const state = await readState(instance);
  if (state?.mode === mode && state.ready) {
    const cluster = await attach(instance);
    if (await isWell(cluster)) return cluster;
    cluster.api.close();
  }
  if (state !== undefined)
    await narrate(toStderr, 'removing the cluster of an earlier demo', () => removeCluster(instance));
  await announceBuilds(mode);
  return launch({ mode, instance, stays: true });
}

async function announceBuilds(mode: ClusterMode): Promise<void> {
  const built = await readdir(join(cacheRoot(), 'programs')).catch(() => []);
  if (built.some((name) => name.startsWith('k8s-'))) return;
  const minutes = mode === 'node' ? 14 : 10;
  toStderr(`The first demo on a machine builds Kubernetes from source, once: about ${minutes} min on two cores.`);
}

async function isWell(cluster: LocalCluster): Promise<boolean> {
  const names = await cluster.processes();
  const areRunning = await Promise.all(names.map((name) => cluster.isRunning(name)));
  return areRunning.every(Boolean);
}

/** How a person uses a cluster of this machine. */
export function howToGoOn({ kubeconfig, temporalAddress }: LocalCluster): string[] {
  return [
    'The cluster stays up. To use it:',
    `  export KUBECONFIG=${kubeconfig}`,
    `  export TEMPORAL_ADDRESS=${temporalAddress}`,
    'To end it: make demo-down',
  ];
}
