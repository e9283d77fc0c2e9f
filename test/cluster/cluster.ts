import { connectApi } from './api.ts';
import type { Api } from './api.ts';
import { readAudit } from './audit.ts';
import type { AuditEvent } from './audit.ts';
import { run } from './command.ts';
import { apiServerUrl } from './controlplane.ts';
import { buildImage, importImage } from './images.ts';
import type { ImageRequest } from './images.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import { addGpuNode } from './kwok.ts';
import type { GpuNode } from './kwok.ts';
import { podLogs, runPods } from './podrunner.ts';
import type { PodName, PodRunnerConfig } from './podrunner.ts';
import { killProcess, processNames, runningProcess, startAgain, startProcess } from './processes.ts';
import type { ProcessSpec } from './processes.ts';
import { toStderr } from './progress.ts';
import { waitReady } from './readiness.ts';
import { kubeconfigFor, tokenFor } from './serviceaccount.ts';
import type { ServiceAccountName } from './serviceaccount.ts';
import { folderOf, readState } from './state.ts';
import type { ClusterState } from './state.ts';
import { removeCluster } from './teardown.ts';
import { temporalAddress, temporalCli } from './temporal.ts';

/** A running cluster, to be used and injured. Any number of processes may hold one of the same cluster. */
export interface LocalCluster {
  readonly state: ClusterState;
  /** Its folder: logs in `log/`, keys, kubeconfigs, databases. */
  readonly folder: string;
  /** The administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** A plain client with the administrator's rights. */
  readonly api: Api;
  readonly temporalAddress: string;

  /** Runs kubectl as administrator and returns what it printed. */
  kubectl(args: readonly string[], options?: { readonly input?: string }): Promise<string>;
  /** Runs Temporal's CLI against this cluster's server. */
  temporal(args: readonly string[]): Promise<string>;
  /** Every write so far, oldest first. */
  auditEvents(): Promise<AuditEvent[]>;
  tokenFor(account: ServiceAccountName, expirationSeconds?: number): Promise<string>;
  /** A kubeconfig that speaks for that ServiceAccount, which is made if need be. Returns its file. */
  kubeconfigFor(account: ServiceAccountName): Promise<string>;
  addGpuNode(node: GpuNode): Promise<void>;
  /** Builds an image without any registry and puts it into the real node; pods use it with `imagePullPolicy: Never`. */
  addImage(request: ImageRequest): Promise<void>;
  /** Has pods annotated `test.aiworkflow.dev/run` run as processes of this machine; adds to what was told before. */
  runPods(told: Partial<PodRunnerConfig>): Promise<void>;
  /** All that a run pod has printed, also after it is gone. */
  podLogs(pod: PodName, container?: string): Promise<string>;

  /** Names of the processes ever started: `etcd`, `apiserver`, `controller-manager`, `scheduler`, `kwok`, `temporal`, … */
  processes(): Promise<string[]>;
  isRunning(name: string): Promise<boolean>;
  /** Starts one more process under the cluster's care: it ends with the cluster, and its log is kept with the others. */
  start(spec: ProcessSpec): Promise<void>;
  /** Ends a process and returns once it is gone. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a process again that has ended, just as it was, and returns once it serves. */
  startAgain(name: string): Promise<void>;
  /** Ends a process if it runs, by default gently, starts it again, and returns once it serves. */
  restart(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Removes the cluster and everything of it. */
  remove(): Promise<void>;
}

/** The cluster of that name. Fails when there is none. */
export async function attach(instance: string): Promise<LocalCluster> {
  const state = await readState(instance);
  if (state === undefined) throw new Error(`There is no local cluster called ${instance}`);
  const folder = folderOf(instance);
  const kubeconfig = kubeconfigFile(folder, 'admin');
  const api = await connectApi(kubeconfig);
  return {
    ...{ state, folder, kubeconfig, api },
    temporalAddress: temporalAddress(state),
    kubectl: (args, options) => kubectl(state, args, options),
    temporal: (args) => temporalCli(state, args),
    auditEvents: () => readAudit(folder),
    tokenFor: (account, expirationSeconds) => tokenFor(api, account, expirationSeconds),
    kubeconfigFor: (account) => kubeconfigFor({ api, folder, server: apiServerUrl(state) }, account),
    addGpuNode: (node) => addGpuNode(api, node),
    addImage: async (request) => importImage(state, request.tag, await buildImage(request, toStderr)),
    runPods: (told) => runPods(instance, told),
    podLogs: (pod, container) => podLogs(instance, pod, container),
    ...processControl(state),
    remove: async () => {
      api.close();
      await removeCluster(instance);
    },
  };
}

type ProcessControl = Pick<LocalCluster, 'processes' | 'isRunning' | 'start' | 'kill' | 'startAgain' | 'restart'>;

function processControl(state: ClusterState): ProcessControl {
  const folder = folderOf(state.instance);
  const again = async (name: string) => {
    await startAgain(folder, name);
    await waitReady(state, name);
  };
  return {
    processes: () => processNames(folder),
    isRunning: async (name) => (await runningProcess(folder, name)) !== undefined,
    start: (spec) => startProcess(folder, spec),
    kill: (name, signal = 'SIGKILL') => killProcess(folder, name, signal),
    startAgain: again,
    restart: async (name, signal = 'SIGTERM') => {
      await killProcess(folder, name, signal);
      await again(name);
    },
  };
}

function kubectl(
  state: ClusterState,
  args: readonly string[],
  options: { readonly input?: string } = {},
): Promise<string> {
  const kubeconfig = kubeconfigFile(folderOf(state.instance), 'admin');
  return run(state.programs['kubectl'] ?? 'kubectl', ['--kubeconfig', kubeconfig, ...args], options);
}
