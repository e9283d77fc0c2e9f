import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import { pauseTag } from './images-pause.ts';
import type { ProcessSpec } from './processes.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';

/** containerd's files of a cluster. */
export function containerdFolder(state: ClusterState): string {
  return join(folderOf(state.instance), 'containerd');
}

/** Its socket: Unix sockets' names end at 107 characters, so it stands high up. */
export function containerdSocket(state: ClusterState): string {
  return join(folderOf(state.instance), 'containerd.sock');
}

/** Name of the pods' network, by which files that its plug-ins keep elsewhere are found again. */
export function podNetworkName(state: ClusterState): string {
  return `aiworkflow-${state.instance}`;
}

/** Writes the configuration of containerd and of the pods' network. */
export async function prepareContainerd(state: ClusterState, podSubnet: string): Promise<void> {
  const folder = containerdFolder(state);
  await mkdir(join(folder, 'cni'), { recursive: true });
  await writeFile(join(folder, 'cni/10-pods.conflist'), JSON.stringify(podNetwork(state, podSubnet)));
  await writeFile(join(folder, 'config.toml'), config(state));
}

/** containerd, in the cluster's network, for that is where it makes the pods'. */
export function containerdSpec(state: ClusterState): ProcessSpec {
  const args = ['--config', join(containerdFolder(state), 'config.toml'), '--log-level', 'warn'];
  return {
    name: 'containerd',
    program: 'containerd',
    args,
    ...(state.network && { netns: state.network.namespace }),
  };
}

/** Runs containerd's own client in the namespace that the kubelet uses. */
export function ctr(state: ClusterState, ...args: readonly string[]): Promise<string> {
  return run('ctr', ['--address', containerdSocket(state), '--namespace', 'k8s.io', ...args]);
}

// Everything under the cluster's folder, so that teardown finds it. `restrict_oom_score_adj` is for machines (sandboxes
// among them) on which not even root may lower it.
function config(state: ClusterState): string {
  const folder = containerdFolder(state);
  return `version = 2
root = "${folder}/root"
state = "${folder}/state"
oom_score = 0
[grpc]
  address = "${containerdSocket(state)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseTag}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "runc"
        Root = "${folder}/runc"
        SystemdCgroup = false
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/opt"
`;
}

function podNetwork(state: ClusterState, subnet: string): object {
  const ipam = { type: 'host-local', ranges: [[{ subnet }]], dataDir: join(containerdFolder(state), 'ipam') };
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, isDefaultGateway: true, ipMasq: true, ipam };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return { cniVersion: '1.0.0', name: podNetworkName(state), plugins: [{ ...bridge, hairpinMode: true }, portmap] };
}
