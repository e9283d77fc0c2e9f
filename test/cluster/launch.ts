import type { Api } from './api.ts';
import { connectApi } from './api.ts';
import type { ProgramName } from './catalog.ts';
import { attach } from './cluster.ts';
import type { LocalCluster } from './cluster.ts';
import { apiServerSpec, controllerManagerSpec, etcdSpec, prepareControlPlane, schedulerSpec } from './controlplane.ts';
import { ensureHostPrograms } from './debian.ts';
import { startGuardian } from './guardian.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import { kwokSpec } from './kwok.ts';
import { prepareNode, startNode, startRuntime } from './node.ts';
import { until } from './poll.ts';
import { startProcess } from './processes.ts';
import type { ProcessSpec } from './processes.ts';
import { findPrograms } from './programs.ts';
import { inWords, toStderr } from './progress.ts';
import type { Progress } from './progress.ts';
import { waitReady } from './readiness.ts';
import { reserve } from './reserve.ts';
import { folderOf, newInstance, writeState } from './state.ts';
import type { ClusterMode, ClusterState } from './state.ts';
import { sweep } from './sweep.ts';
import { keepLogs, removeCluster } from './teardown.ts';
import { temporalSpec } from './temporal.ts';

/** What kind of cluster to start. */
export interface LaunchOptions {
  /** By default `loopback`. */
  readonly mode?: ClusterMode;
  /** Its name, at most 30 small letters, digits and dashes; by default a new one. One that is taken is refused. */
  readonly instance?: string;
  /** Whether it outlives this process, until it is removed by name. By default it ends with us, however we end. */
  readonly stays?: boolean;
  /** How many GPUs the real node of mode `node` says it has; by default 2. */
  readonly gpus?: number;
  readonly progress?: Progress;
}

/**
 * Starts a cluster and returns once it schedules pods and runs workflows. First removes what dead launchers left.
 * When it fails, the logs are kept, nothing else is, and the error says where they are.
 */
export async function launch(options: LaunchOptions = {}): Promise<LocalCluster> {
  const { mode = 'loopback', progress = toStderr, instance = newInstance(), gpus = 2 } = options;
  if (mode === 'node' && process.getuid?.() !== 0) throw new Error('A cluster with a real node needs root');
  await sweep(progress);
  await ensureHostPrograms(mode, progress);
  const programs = await findPrograms(programsFor(mode), progress);
  const began = Date.now();
  const state = await reserve({ instance, mode, programs, nodeGpus: gpus });
  startGuardian(instance);
  await startOrExplain(state, progress);
  await writeState({ ...(options.stays ? { ...state, owner: undefined } : state), ready: true });
  progress(`cluster ${instance} is up after ${inWords(Date.now() - began)}, logs in ${folderOf(instance)}/log`);
  return attach(instance);
}

async function startOrExplain(state: ClusterState, progress: Progress): Promise<void> {
  const api = () => connectApi(kubeconfigFile(folderOf(state.instance), 'admin'));
  try {
    await startControlPlane(state, progress);
    const connected = await api();
    await startRest(state, connected);
    connected.close();
  } catch (cause) {
    const logs = await keepLogs(state.instance);
    await removeCluster(state.instance);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Could not start the local cluster, its logs are in ${logs}: ${why}`, { cause });
  }
}

async function startControlPlane(state: ClusterState, progress: Progress): Promise<void> {
  if (state.mode === 'node') await prepareNode(state);
  await start(state, temporalSpec(state));
  await prepareControlPlane(state);
  await start(state, etcdSpec(state));
  await start(state, apiServerSpec(state));
  await Promise.all([waitReady(state, 'apiserver'), state.mode === 'node' && startRuntime(state, progress)]);
}

async function startRest(state: ClusterState, api: Api): Promise<void> {
  for (const spec of [controllerManagerSpec(state), schedulerSpec(state), kwokSpec(state)]) await start(state, spec);
  if (state.mode === 'node') await startNode(state, api);
  // The first sign that controllers work: before it, every pod is refused for want of its ServiceAccount.
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  await until('the default ServiceAccount', 60_000, () => api.call(path));
  await waitReady(state, 'temporal');
}

function start(state: ClusterState, spec: ProcessSpec): Promise<void> {
  return startProcess(folderOf(state.instance), spec);
}

function programsFor(mode: ClusterMode): ProgramName[] {
  const always: ProgramName[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'];
  const node: ProgramName[] = ['kubelet', 'kube-proxy', 'coredns'];
  return [...always, ...(mode === 'node' ? node : []), 'temporal', 'kubectl', 'helm'];
}
