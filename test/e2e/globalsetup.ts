import { dirname, join } from 'node:path';
import { operatorImage, pythonInferenceImage } from '../builders/images.ts';
import { attach } from '../cluster/cluster.ts';
import type { LocalCluster } from '../cluster/cluster.ts';
import type { ImageRequest } from '../cluster/images.ts';
import { launch } from '../cluster/launch.ts';
import { toStderr } from '../cluster/progress.ts';
import { sharedClusterVariable } from '../cluster/shared.ts';
import { operatorImageVariable } from './world.ts';

/**
 * Jest's hook before the first e2e file: one cluster with a real node for all of them, unless the caller names one that
 * is up, and the images in it.
 */
export default async function globalSetup(): Promise<void> {
  const named = process.env[sharedClusterVariable];
  const cluster = named === undefined ? await launch({ mode: 'node', gpus: 2 }) : await attach(named);
  if (named === undefined) {
    process.env[sharedClusterVariable] = cluster.state.instance;
    globalThis.removeSharedCluster = () => cluster.remove();
  }
  try {
    process.env[operatorImageVariable] = await addImages(cluster);
  } catch (error) {
    // Jest runs no teardown after a setup that failed.
    await globalThis.removeSharedCluster?.();
    throw error;
  }
}

async function addImages(cluster: LocalCluster): Promise<string> {
  const operator = await operatorImage(toStderr);
  const images = [operator, await pythonInferenceImage(toStderr), temporalImage(cluster)];
  for (const image of images) await cluster.addImage(image);
  return operator.tag;
}

/** By the name that the chart gives its dev server unless told otherwise. */
function temporalImage({ state }: LocalCluster): ImageRequest {
  return {
    dockerfile: join(import.meta.dirname, 'temporal.Dockerfile'),
    context: dirname(state.programs['temporal'] ?? ''),
    tag: 'docker.io/temporalio/temporal:1.9.1',
    base: 'none',
  };
}
