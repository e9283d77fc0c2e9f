import { connectApi } from './api.ts';
import type { Api } from './api.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import { nodeName } from './kubelet.ts';
import { isNodeReady, readNode } from './kwok.ts';
import { listensBeside } from './listening.ts';
import { GiveUp, until } from './poll.ts';
import { lastLines, runningProcess } from './processes.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';
import { isTemporalReady } from './temporal.ts';

const startMs = 60_000;

type Probe = (state: ClusterState, pid: number) => Promise<boolean>;

/** Returns once that server serves. Gives up at once, with the end of its log, when it has died. */
export async function waitReady(state: ClusterState, name: string): Promise<void> {
  const folder = folderOf(state.instance);
  await until(`${name} to serve`, startMs, async () => {
    const running = await runningProcess(folder, name);
    if (running === undefined) {
      throw new GiveUp(`${name} ended while starting:\n${await lastLines(folder, name)}`);
    }
    return (await probes[name]?.(state, running.pid)) ?? true;
  });
}

const probes: Readonly<Record<string, Probe>> = {
  etcd: (state, pid) => listensBeside(pid, state.ports.etcd),
  apiserver: (state) => withApi(state, async (api) => (await api.call<string>('/readyz')) === 'ok'),
  temporal: async (state, pid) => (await listensBeside(pid, state.ports.temporal)) && (await isTemporalReady(state)),
  coredns: (_state, pid) => listensBeside(pid, 53),
  kubelet: (state) => withApi(state, (api) => isNodeComplete(api, state.nodeGpus ?? 0)),
};

// Ready is set anew by each kubelet some moments after it starts. It knows nothing of our GPUs: they are capacity that
// somebody else (a device plug-in, here the launcher) put there, and it keeps.
async function isNodeComplete(api: Api, gpus: number): Promise<boolean> {
  if (!isNodeReady(await readNode(api, nodeName))) return false;
  const contentType = 'application/json-patch+json';
  const body = [{ op: 'add', path: '/status/capacity/nvidia.com~1gpu', value: String(gpus) }];
  await api.call(`/api/v1/nodes/${nodeName}/status`, { method: 'PATCH', contentType, body });
  return true;
}

async function withApi(state: ClusterState, ask: (api: Api) => Promise<boolean>): Promise<boolean> {
  const api = await connectApi(kubeconfigFile(folderOf(state.instance), 'admin'));
  try {
    return await ask(api);
  } finally {
    api.close();
  }
}
