import { connectApi } from './api.ts';
import type { Api, KubeObject } from './api.ts';
import { apiServerUrl } from './controlplane.ts';
import { follow } from './follow.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import type { ContainerSurroundings } from './podrunner-container.ts';
import type { Pod } from './podrunner-types.ts';
import { hostnameWrapper } from './podrunner-process.ts';
import { PodRun } from './podrunner-run.ts';
import { podSources } from './podrunner-sources.ts';
import { removePod } from './podrunner-writer.ts';
import { podFolder, podRunnerName, readPodRunnerConfig, runAnnotation } from './podrunner.ts';
import { marker, processesWith } from './processes.ts';
import { folderOf, readState } from './state.ts';
import type { ClusterState } from './state.ts';

const podMarker = 'AIWORKFLOW_POD_OF';

/** Plays the kubelet of all pods that are to be run: one `PodRun` each, by uid. */
class PodRunner {
  private readonly api: Api;
  private readonly around: Omit<ContainerSurroundings, 'folder'>;
  private readonly folder: string;
  private readonly runs = new Map<string, PodRun>();
  private addresses = 0;

  constructor(api: Api, state: ClusterState) {
    this.api = api;
    this.folder = folderOf(state.instance);
    const wrapper = hostnameWrapper();
    if (wrapper.length === 0) console.log('No host names of their own here: only the variable HOSTNAME names a pod');
    const config = () => readPodRunnerConfig(this.folder);
    this.around = { sources: podSources(api), wrapper, baseEnv: baseEnv(state), config };
  }

  see(pod: Pod): void {
    if (pod.metadata.annotations?.[runAnnotation] === undefined || pod.spec.nodeName === undefined) return;
    if (pod.metadata.deletionTimestamp !== undefined) return void this.end(pod);
    const isOver = ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '');
    if (!isOver && !this.runs.has(pod.metadata.uid ?? '')) this.begin(pod);
  }

  lose(uid: string | undefined): void {
    this.runs.get(uid ?? '')?.kill();
    this.runs.delete(uid ?? '');
  }

  keepOnly(uids: ReadonlySet<string | undefined>): void {
    for (const uid of [...this.runs.keys()].filter((known) => !uids.has(known))) this.lose(uid);
  }

  /** A machine that is lost takes its processes with it; what becomes of the objects is the control plane's part. */
  keepNodes(isThere: (name: string | undefined) => boolean): void {
    for (const run of this.runs.values()) if (!isThere(run.nodeName)) run.kill();
  }

  private begin(pod: Pod): void {
    const { uid = '', namespace = '', name } = pod.metadata;
    const folder = podFolder(this.folder, namespace, name);
    console.log(`running ${namespace}/${name}`);
    this.runs.set(uid, new PodRun(this.api, pod, pod.status?.podIP ?? this.nextAddress(), { ...this.around, folder }));
  }

  private end(pod: Pod): Promise<void> {
    const { uid = '', namespace = '', name, deletionGracePeriodSeconds = 30 } = pod.metadata;
    const run = this.runs.get(uid);
    console.log(`ending ${namespace}/${name}`);
    return run === undefined ? removePod(this.api, pod) : run.stop(deletionGracePeriodSeconds);
  }

  // Nobody can reach it: the processes listen on this machine's own addresses.
  private nextAddress(): string {
    this.addresses += 1;
    return `10.251.${Math.floor(this.addresses / 250) % 250}.${(this.addresses % 250) + 1}`;
  }
}

function baseEnv(state: ClusterState): Record<string, string> {
  const folder = folderOf(state.instance);
  const { hostname, port } = new URL(apiServerUrl(state));
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    [marker]: folder,
    [podMarker]: folder,
  };
}

async function main(instance: string): Promise<void> {
  const state = await readState(instance);
  if (state === undefined) throw new Error(`There is no local cluster called ${instance}`);
  const api = await connectApi(kubeconfigFile(folderOf(instance), podRunnerName));
  for (const pid of await processesWith(podMarker, folderOf(instance))) process.kill(pid, 'SIGKILL');
  const runner = new PodRunner(api, state);
  process.once('SIGTERM', () => {
    runner.keepOnly(new Set());
    process.exit(0);
  });
  const pods = follow<Pod>(api, '/api/v1/pods', {
    replace: (all) => {
      runner.keepOnly(new Set(all.map(({ metadata }) => metadata.uid)));
      for (const pod of all) runner.see(pod);
    },
    see: (pod) => runner.see(pod),
    lose: (pod) => runner.lose(pod.metadata.uid),
  });
  const nodes = follow<KubeObject>(api, '/api/v1/nodes', {
    replace: (all) => runner.keepNodes((name) => all.some(({ metadata }) => metadata.name === name)),
    see: () => undefined,
    lose: (node) => runner.keepNodes((name) => name !== node.metadata.name),
  });
  await Promise.race([pods, nodes]);
}

await main(process.argv[2] ?? '');
