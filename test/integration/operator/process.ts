import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { chartAccount } from '../../builders/chart.ts';
import { repository } from '../../cluster/places.ts';
import { GiveUp, until } from '../../cluster/poll.ts';
import { freePorts } from '../../cluster/ports.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';

/** An operator that runs as a process of this machine, with the rights of its chart and no others. */
export interface OperatorProcess {
  output(): string;
  isRunning(): boolean;
  /** How it ended; undefined while it runs. */
  exitCode(): number | NodeJS.Signals | undefined;
  /** What its page answers: of `/readyz`, say. */
  health(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** The figures of its metrics page whose line begins with `prefix`, added up. */
  metric(prefix: string): Promise<number>;
  /** Ends it and returns once it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is not usual about an operator. */
export interface OperatorOptions {
  /** What it serves besides its own namespace. */
  readonly serves?: readonly string[] | 'all';
  /** Namespaces whose Secrets it may read. */
  readonly tenants?: readonly string[];
  /** The kubeconfig to give it instead of that of its ServiceAccount: one that leads through a proxy, say. */
  readonly through?: (kubeconfig: string) => Promise<string>;
  /** Which of several pods of the same Deployment it is; those of different names compete for the Lease. */
  readonly replica?: string;
  /** Returns as soon as it runs. */
  readonly isExpectedReady?: false;
}

/** The chart names everything of a release of this name like the release itself. */
const release = 'aiworkflow';

/**
 * Starts an operator whose own namespace is `namespace`, and returns once it is ready. Two of the same namespace are one
 * after the other, as a pod's container.
 */
export async function startOperator(
  shared: LocalCluster,
  namespace: string,
  options: OperatorOptions = {},
): Promise<OperatorProcess> {
  const { serves = [], tenants = [], replica = '', through = (file: string) => Promise.resolve(file) } = options;
  const namespaces = serves === 'all' ? [] : [...new Set([namespace, ...serves])];
  const account = await chartAccount(shared, { name: release, namespace }, { namespaces, tenants });
  const [health = 0, metrics = 0] = await freePorts(2);
  const child = spawnOperator({
    ...{ kubeconfig: await through(account), namespaces: namespaces.join(',') },
    ...{ 'pod-namespace': namespace, 'pod-uid': `uid-of-${namespace}${replica}` },
    ...{ 'cluster-name': namespace, 'lease-name': release, 'service-account': release },
    ...{ 'bind-address': '127.0.0.1', 'health-port': String(health), 'metrics-port': String(metrics) },
    'log-format': 'json',
  });
  const started = operatorOf(child, { health, metrics });
  if (options.isExpectedReady === false) return started;
  await until('the operator to be ready', 30_000, async () => {
    if (!started.isRunning()) throw new GiveUp(`The operator ended:\n${started.output()}`);
    return (await started.health('/readyz')).status === 200;
  });
  return started;
}

function spawnOperator(flags: Readonly<Record<string, string>>): ChildProcess {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return spawn(process.execPath, [join(repository, 'src/main.ts'), 'operator', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  });
}

function operatorOf(
  child: ChildProcess,
  ports: { readonly health: number; readonly metrics: number },
): OperatorProcess {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!isRunning()) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    output: () => output,
    isRunning,
    exitCode: () => child.signalCode ?? child.exitCode ?? undefined,
    health: async (path) => {
      const answer = await fetch(`http://127.0.0.1:${ports.health}${path}`);
      return { status: answer.status, text: await answer.text() };
    },
    metric: async (prefix) => sumOf(await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text(), prefix),
    kill,
    [Symbol.asyncDispose]: () => kill(),
  };
}

function sumOf(page: string, prefix: string): number {
  const lines = page.split('\n').filter((line) => line.startsWith(prefix));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
