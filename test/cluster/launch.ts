import { findPrograms } from './programs.ts';
import type { ProgramName } from './catalog.ts';
import { attach } from './cluster.ts';
import type { LocalCluster } from './cluster.ts';
import { apiServerSpec, controllerManagerSpec, etcdSpec, prepareControlPlane, schedulerSpec } from './controlplane.ts';
import { ensureHostPrograms } from './debian.ts';
import { startGuardian } from './guardian.ts';
import { ownIdentity } from './identity.ts';
import { kwokSpec } from './kwok.ts';
import { freePorts } from './ports.ts';
import { startProcess } from './processes.ts';
import type { ProcessSpec } from './processes.ts';
import { inWords, toStderr } from './progress.ts';
import type { Progress } from './progress.ts';
import { until } from './poll.ts';
import { waitReady } from './readiness.ts';
import { currentBootId, folderOf, newInstance, readState, writeState } from './state.ts';
import type { ClusterMode, ClusterPorts, ClusterState } from './state.ts';
import { sweep } from './sweep.ts';
import { keepLogs, removeCluster } from './teardown.ts';
import { temporalSpec } from './temporal.ts';

/** What kind of cluster to start. */
export interface LaunchOptions {
  /** By default `loopback`. */
  readonly mode?: ClusterMode;
  /** Its name; by default a new one. Starting one that is already there fails. */
  readonly instance?: string;
  /** Whether it outlives this process, until it is removed by name. By default it ends with us, however we end. */
  readonly stays?: boolean;
  readonly progress?: Progress;
}

/**
 * Starts a cluster and returns once it schedules pods and runs workflows. First removes what dead launchers left.
 * When it fails, the logs are kept, nothing else is, and the error says where they are.
 */
export async function launch(options: LaunchOptions = {}): Promise<LocalCluster> {
  const { mode = 'loopback', progress = toStderr, instance = newInstance() } = options;
  await sweep(progress);
  if (await readState(instance)) throw new Error(`A local cluster called ${instance} is already there`);
  await ensureHostPrograms(mode, progress);
  const programs = await findPrograms(programsFor(mode), progress);
  const began = Date.now();
  const state = await writeState({
    ...{ instance, mode, programs, ready: false },
    owner: ownIdentity(),
    bootId: await currentBootId(),
    ports: await choosePorts(),
  });
  startGuardian(instance);
  await startOrExplain(state);
  const { owner: _, ...withoutOwner } = state;
  await writeState({ ...(options.stays ? withoutOwner : state), ready: true });
  progress(`cluster ${instance} is up after ${inWords(Date.now() - began)}, logs in ${folderOf(instance)}/log`);
  return attach(instance);
}

async function startOrExplain(state: ClusterState): Promise<void> {
  try {
    await startServers(state);
  } catch (cause) {
    const logs = await keepLogs(state.instance);
    await removeCluster(state.instance);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Could not start the local cluster, its logs are in ${logs}: ${why}`, { cause });
  }
}

async function startServers(state: ClusterState): Promise<void> {
  const start = (spec: ProcessSpec) => startProcess(folderOf(state.instance), spec);
  await start(temporalSpec(state));
  await prepareControlPlane(state);
  await start(etcdSpec(state));
  await start(apiServerSpec(state));
  await waitReady(state, 'apiserver');
  await Promise.all([controllerManagerSpec(state), schedulerSpec(state), kwokSpec(state)].map(start));
  await Promise.all([waitServiceAccount(state), waitReady(state, 'temporal')]);
}

// The first sign that controllers work: before it, every pod is refused for want of its ServiceAccount.
async function waitServiceAccount(state: ClusterState): Promise<void> {
  const cluster = await attach(state.instance);
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  await until('the default ServiceAccount', 60_000, () => cluster.api.call(path));
  cluster.api.close();
}

function programsFor(mode: ClusterMode): ProgramName[] {
  const always: ProgramName[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'];
  const node: ProgramName[] = ['kubelet', 'kube-proxy', 'coredns'];
  return [...always, ...(mode === 'node' ? node : []), 'temporal', 'kubectl', 'helm'];
}

async function choosePorts(): Promise<ClusterPorts> {
  const [etcd, etcdPeer, apiServer, controllerManager, scheduler, temporal, temporalHttp, temporalMetrics] =
    await freePorts(8);
  return {
    ...{ etcd, etcdPeer, apiServer, controllerManager, scheduler, temporal, temporalHttp, temporalMetrics },
  } as ClusterPorts;
}
