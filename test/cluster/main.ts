import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { attach } from './cluster.ts';
import { ensureHostPrograms } from './debian.ts';
import { buildImage } from './images.ts';
import type { ImageRequest } from './images.ts';
import { launch } from './launch.ts';
import { processNames, runningProcess } from './processes.ts';
import { toStderr } from './progress.ts';
import { folderOf, instances, readState } from './state.ts';
import type { ClusterMode } from './state.ts';
import { removeCluster } from './teardown.ts';

const defaultName = 'demo';

const program = new Command('cluster').description('A real Kubernetes and Temporal on this machine alone');

program
  .command('up')
  .description('start a cluster that stays until `down`')
  .addOption(
    new Option('--mode <mode>', 'loopback needs no root; node has a real kubelet').choices(['loopback', 'node']),
  )
  .option('--name <name>', 'its name', defaultName)
  .option('--gpus <count>', 'how many GPUs the real node says it has', Number, 2)
  .action(async ({ mode, name, gpus }: { mode?: ClusterMode; name: string; gpus: number }) => {
    const cluster = await launch({ ...(mode && { mode }), instance: name, gpus, stays: true });
    await describe(cluster.state.instance);
    cluster.api.close();
  });

program
  .command('image')
  .description('build an image without any registry and put it into the node of a cluster in mode node, or into a file')
  .requiredOption('--tag <tag>', 'its name, as in localhost/example:1')
  .requiredOption('--context <folder>', 'what the Dockerfile copies from')
  .option('--dockerfile <file>', "by default the context's own")
  .addOption(
    new Option('--base <base>', "the Dockerfile's argument BASE").choices(['node', 'python', 'none']).default('none'),
  )
  .option('--name <name>', "the cluster's name", defaultName)
  .option('--output <file>', 'an archive for `docker load`; then no cluster is needed')
  .action(async ({ name, output, ...given }: ImageRequest & { dockerfile?: string; name: string; output?: string }) => {
    const request = { ...given, dockerfile: given.dockerfile ?? join(given.context, 'Dockerfile') };
    if (output !== undefined) {
      await ensureHostPrograms('node', toStderr);
      await copyFile(await buildImage(request, toStderr), output);
      return;
    }
    const cluster = await attach(name);
    await cluster.addImage(request);
    cluster.api.close();
  });

program
  .command('down')
  .description('remove a cluster and everything of it')
  .option('--name <name>', 'its name', defaultName)
  .action(({ name }: { name: string }) => removeCluster(name));

program
  .command('status')
  .description('the clusters of this user, and what runs in them')
  .action(async () => {
    for (const instance of await instances()) await describe(instance);
  });

async function describe(instance: string): Promise<void> {
  const state = await readState(instance);
  if (state === undefined) return;
  const cluster = await attach(instance);
  console.log(`${instance}: ${state.mode}, ${state.ready ? 'up' : 'starting'}`);
  console.log(`  export KUBECONFIG=${cluster.kubeconfig}`);
  console.log(`  export TEMPORAL_ADDRESS=${cluster.temporalAddress}`);
  for (const name of await processNames(folderOf(instance))) {
    const identity = await runningProcess(folderOf(instance), name);
    console.log(`  ${name}: ${identity === undefined ? 'not running' : `process ${identity.pid}`}`);
  }
  cluster.api.close();
}

await program.parseAsync();
