import { Command } from 'commander';
import { attach } from './cluster.ts';
import { launch } from './launch.ts';
import { processNames, runningProcess } from './processes.ts';
import { folderOf, instances, readState } from './state.ts';
import type { ClusterMode } from './state.ts';
import { removeCluster } from './teardown.ts';

const defaultName = 'demo';

const program = new Command('cluster').description('A real Kubernetes and Temporal on this machine alone');

program
  .command('up')
  .description('start a cluster that stays until `down`')
  .option('--mode <mode>', 'loopback (no root needed) or node (a real kubelet)', 'loopback')
  .option('--name <name>', 'its name', defaultName)
  .action(async ({ mode, name }: { mode: ClusterMode; name: string }) => {
    await describe((await launch({ mode, instance: name, stays: true })).state.instance);
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
