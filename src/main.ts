import { Command } from 'commander';
import { Config, environmentName, loadConfig, servedNamespaces } from './config.ts';
import { FINALIZER } from './controllers/aiworkflow/plan.ts';
import { cleanUp } from './controllers/cleanup/cleanup.ts';
import { cleanupCluster } from './controllers/cleanup/index.ts';
import { selfTest } from './controllers/selftest/index.ts';
import { connectKube } from './kube/connect.ts';
import { operatorParts } from './operator/operator.ts';
import { runAll, untilSignal } from './runtime/lifecycle.ts';
import type { Log } from './runtime/ports.ts';
import { createLog } from './telemetry/log.ts';

const SELF_TEST_MS = 60_000;

const program = new Command('aiworkflow').description('Durable AI pipelines on Kubernetes, run by Temporal');

configured(program.command('operator').description('run the controllers')).action((flags: Flags) =>
  run(flags, async (config, log) => {
    const ended = untilSignal(process);
    void ended.then((signal) => log.info('stopping', { signal }));
    const parts = operatorParts(config, log, (code) => process.exit(code));
    await runAll(parts, ended, () => log.info('started', { clusterName: config.clusterName }));
  }),
);

configured(program.command('cleanup').description('take an operator out of its cluster, before its chart goes'))
  .requiredOption('--deployment <name>', "the operator's Deployment")
  .action((flags: Flags & { deployment: string }) =>
    run(flags, async (config, log) => {
      const controller = new AbortController();
      void untilSignal(process).then(() => controller.abort());
      const { podNamespace: namespace, leaseName } = config;
      const place = { namespace, leaseName, deployment: flags.deployment, served: servedNamespaces(config) };
      const cluster = cleanupCluster(connect(config), place, controller.signal);
      await cleanUp(cluster, { finalizer: FINALIZER, signal: controller.signal, log });
    }),
  );

configured(program.command('selftest').description('tell whether an installation works'))
  .requiredOption('--url <url>', "the operator's page /readyz, through its Service")
  .action((flags: Flags & { url: string }) =>
    run(flags, (config, log) => {
      const signal = AbortSignal.timeout(SELF_TEST_MS);
      return selfTest(connect(config), { url: flags.url, namespace: config.podNamespace, signal, log });
    }),
  );

await program.parseAsync();

type Flags = Readonly<Record<string, string | undefined>>;

/** Every setting as a flag, without a default: what is not given comes from the environment. */
function configured(command: Command): Command {
  for (const [setting, schema] of Object.entries(Config.shape)) {
    const flag = setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    command.option(`--${flag} <value>`, `${schema.description ?? ''} [${environmentName(setting)}]`);
  }
  return command;
}

/** What fails is one line with its causes, and exit code 1. */
async function run(flags: Flags, work: (config: Config, log: Log) => Promise<void>): Promise<void> {
  try {
    const config = loadConfig(flags);
    const isPretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && process.stdout.isTTY);
    const log = createLog({ level: config.logLevel, format: isPretty ? 'pretty' : 'json' });
    await work(config, log).catch((error: unknown) => {
      log.error('failed', { err: error });
      process.exitCode = 1;
    });
  } catch (error) {
    // eslint-disable-next-line no-console -- without a configuration there is no log
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
  // Connections that are kept alive would keep the process, too.
  process.exit();
}

function connect({ kubeconfig }: Config) {
  return connectKube(kubeconfig === '' ? {} : { kubeconfig });
}
