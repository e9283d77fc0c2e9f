import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from '../../cluster/places.ts';
import { GiveUp, until } from '../../cluster/poll.ts';
import { freePorts } from '../../cluster/ports.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';

/** An operator that runs as a process of this machine and serves one namespace. */
export interface OperatorProcess {
  output(): string;
  /** The figures of its metrics page whose line begins with `prefix`, added up. */
  metric(prefix: string): Promise<number>;
  /** Ends it and returns once it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts an operator and returns once it is ready. Two of the same `identity` are one after the other, as a pod's container. */
export async function startOperator(shared: LocalCluster, namespace: string): Promise<OperatorProcess> {
  const [health = 0, metrics = 0] = await freePorts(2);
  const flags = {
    kubeconfig: shared.kubeconfig,
    namespaces: namespace,
    'pod-namespace': namespace,
    'pod-uid': `uid-of-${namespace}`,
    'cluster-name': namespace,
    'bind-address': '127.0.0.1',
    'health-port': String(health),
    'metrics-port': String(metrics),
    'log-format': 'json',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, [join(repository, 'src/main.ts'), 'operator', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  });
  const started = operatorOf(child, metrics);
  await until('the operator to be ready', 30_000, async () => {
    if (child.exitCode !== null) throw new GiveUp(`The operator ended:\n${started.output()}`);
    return (await fetch(`http://127.0.0.1:${health}/readyz`)).ok;
  });
  return started;
}

function operatorOf(child: ChildProcess, metricsPort: number): OperatorProcess {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    output: () => output,
    metric: async (prefix) => sumOf(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(), prefix),
    kill,
    [Symbol.asyncDispose]: () => kill(),
  };
}

function sumOf(page: string, prefix: string): number {
  const lines = page.split('\n').filter((line) => line.startsWith(prefix));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
