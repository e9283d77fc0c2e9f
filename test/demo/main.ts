import { Command, Option } from 'commander';
import { inWords } from '../cluster/progress.ts';
import { removeCluster } from '../cluster/teardown.ts';
import { currentStage, leaveCurrent } from './current.ts';
import type { CurrentOptions } from './current.ts';
import { embeddedStage, instance } from './embedded.ts';
import { loopbackStage } from './loopback.ts';
import type { Stage } from './stage.ts';
import { tell } from './story.ts';

interface Options extends CurrentOptions {
  readonly cluster: 'embedded' | 'current';
}

const program = new Command('demo').description('The main job, from an empty cluster to a result');
const cluster = new Option('--cluster <cluster>', 'one of this machine, or that of your KUBECONFIG')
  .choices(['embedded', 'current'])
  .default('embedded');

program
  .command('up')
  .description('run the demo; what it made stays')
  .addOption(cluster)
  .addOption(
    new Option('--operator-image <image>', 'with current: an image your cluster can pull').env('OPERATOR_IMAGE'),
  )
  .addOption(new Option('--worker-image <image>', 'with current: likewise, of the example').env('WORKER_IMAGE'))
  .addOption(
    new Option('--temporal-address <address>', 'with current: a Temporal that pods reach').env('TEMPORAL_ADDRESS'),
  )
  .action(async (options: Options) => {
    const began = Date.now();
    const stage = await stageFor(options);
    const isGood = await tell(stage).finally(() => stage.close());
    console.log(`\n${['', ...stage.howToGoOn].join('\n').trim()}`);
    console.log(`\nThe demo ${isGood ? 'succeeded' : 'FAILED'} after ${inWords(Date.now() - began)}.`);
    process.exitCode = isGood ? 0 : 1;
  });

program
  .command('down')
  .description('end what the demo left')
  .addOption(cluster)
  .action((options: Options) => (options.cluster === 'current' ? leaveCurrent() : removeCluster(instance)));

async function stageFor(options: Options): Promise<Stage> {
  if (options.cluster === 'current') return currentStage(options);
  return process.getuid?.() === 0 ? embeddedStage() : loopbackStage();
}

await program.parseAsync().catch((error: unknown) => {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
