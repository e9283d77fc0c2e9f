import { join } from 'node:path';
import { run } from './command.ts';
import { clusterAddress } from './controlplane.ts';
import type { ProcessSpec } from './processes.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';

/** Where the Temporal server answers, host and port. */
export function temporalAddress(state: ClusterState): string {
  return `${clusterAddress(state)}:${state.ports.temporal}`;
}

/**
 * A Temporal server with its state on disk and the limits of a real one: without them its defaults hide that
 * visibility is dear, and completion callbacks and pausing are refused.
 */
export function temporalSpec(state: ClusterState): ProcessSpec {
  const settings = [
    'frontend.namespaceRPS.visibility=10',
    'frontend.WorkflowPauseEnabled=true',
    'callback.allowedAddresses=[{"Pattern":"*","AllowInsecure":true}]',
  ];
  const { temporal, temporalHttp, temporalMetrics } = state.ports;
  const ports = ['--port', temporal, '--http-port', temporalHttp, '--metrics-port', temporalMetrics].map(String);
  // Safe against kill -9 of the process, not against a loss of power; the plain settings are three times slower.
  const pragmas = ['synchronous=off', 'journal_mode=wal'].flatMap((pragma) => ['--sqlite-pragma', pragma]);
  return {
    name: 'temporal',
    program: state.programs['temporal'] ?? 'temporal',
    args: [
      ...['server', 'start-dev', '--headless', '--log-level', 'warn', '--ip', listenAddress(state), ...ports],
      ...['--db-filename', join(folderOf(state.instance), 'temporal.db'), ...pragmas],
      ...settings.flatMap((setting) => ['--dynamic-config-value', setting]),
    ],
    // Where this machine has no name for its user (as in many containers) its telemetry would refuse to start.
    env: { USER: 'temporal' },
    ...(state.network && { netns: state.network.namespace }),
  };
}

/** Runs Temporal's CLI against this server and returns what it printed. */
export async function temporalCli(state: ClusterState, args: readonly string[]): Promise<string> {
  // Not what this machine's user has configured for other servers.
  const ours = ['--address', temporalAddress(state), '--disable-config-file', '--disable-config-env'];
  return run(state.programs['temporal'] ?? 'temporal', [...args, ...ours], { timeoutMs: 60_000 });
}

// The parts of the server find each other on loopback whatever they listen on, so the node's address alone is not enough.
function listenAddress(state: ClusterState): string {
  return state.network === undefined ? '127.0.0.1' : '0.0.0.0';
}

/** Whether the server knows its first namespace and its queues: the frontend answers long before the parts behind it. */
export async function isTemporalReady(state: ClusterState): Promise<boolean> {
  const options = ['--namespace', 'default', '--command-timeout', '2s'];
  await temporalCli(state, ['operator', 'namespace', 'describe', ...options]);
  await temporalCli(state, ['task-queue', 'describe', '--task-queue', 'readiness', ...options]);
  return true;
}
