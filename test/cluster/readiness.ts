import { connect } from 'node:net';
import { connectApi } from './api.ts';
import { clusterAddress } from './controlplane.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import { GiveUp, until } from './poll.ts';
import { lastLines, runningProcess } from './processes.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';
import { isTemporalReady } from './temporal.ts';

const startMs = 60_000;

/** Returns once that server serves. Gives up at once, with the end of its log, when it has died. */
export async function waitReady(state: ClusterState, name: string): Promise<void> {
  const folder = folderOf(state.instance);
  const isReady = probes[name] ?? (() => Promise.resolve(true));
  await until(`${name} to serve`, startMs, async () => {
    if (await runningProcess(folder, name)) return isReady(state);
    throw new GiveUp(`${name} ended while starting:\n${await lastLines(folder, name)}`);
  });
}

const probes: Readonly<Record<string, (state: ClusterState) => Promise<boolean>>> = {
  apiserver: isApiServerReady,
  etcd: (state) => (state.network === undefined ? listens('127.0.0.1', state.ports.etcd) : Promise.resolve(true)),
  temporal: async (state) =>
    (await listens(clusterAddress(state), state.ports.temporal)) && (await isTemporalReady(state)),
};

async function isApiServerReady(state: ClusterState): Promise<boolean> {
  const api = await connectApi(kubeconfigFile(folderOf(state.instance), 'admin'));
  try {
    return (await api.call<string>('/readyz')) === 'ok';
  } finally {
    api.close();
  }
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
