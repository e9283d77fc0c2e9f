import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupName } from './cgroups.ts';
import { containerdSocket } from './containerd.ts';
import { clusterAddress, podRange } from './controlplane.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import { pkiFolder } from './pki.ts';
import type { ProcessSpec } from './processes.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';

/** The real node's name. */
export const nodeName = 'node1';

/** Writes the configuration of kubelet and kube-proxy. */
export async function prepareKubelet(state: ClusterState): Promise<void> {
  const folder = folderOf(state.instance);
  // Pods ask our name server and nobody else; nothing of this machine's own configuration reaches them.
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${clusterAddress(state)}\n`);
  await writeFile(join(folder, 'kubelet.json'), JSON.stringify(kubeletConfig(state), undefined, 2));
  await writeFile(join(folder, 'kube-proxy.json'), JSON.stringify(kubeProxyConfig(state), undefined, 2));
}

/** The kubelet. */
export function kubeletSpec(state: ClusterState): ProcessSpec {
  const folder = folderOf(state.instance);
  return {
    name: 'kubelet',
    program: state.programs['kubelet'] ?? 'kubelet',
    args: [
      `--config=${join(folder, 'kubelet.json')}`,
      `--kubeconfig=${kubeconfigFile(folder, nodeName)}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${clusterAddress(state)}`,
      `--root-dir=${join(folder, 'kubelet')}`,
      `--cert-dir=${join(folder, 'kubelet/pki')}`,
    ],
    ...(state.network && { netns: state.network.namespace }),
  };
}

/** kube-proxy, which makes Service addresses work in the cluster's network. */
export function kubeProxySpec(state: ClusterState): ProcessSpec {
  return {
    name: 'kube-proxy',
    program: state.programs['kube-proxy'] ?? 'kube-proxy',
    args: [`--config=${join(folderOf(state.instance), 'kube-proxy.json')}`],
    ...(state.network && { netns: state.network.namespace }),
  };
}

function kubeletConfig(state: ClusterState): object {
  const folder = folderOf(state.instance);
  const pki = pkiFolder(folder);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(pki, 'node1-server.crt'),
    tlsPrivateKeyFile: join(pki, 'node1-server.key'),
    address: clusterAddress(state),
    healthzBindAddress: '127.0.0.1',
    clusterDomain: 'cluster.local',
    clusterDNS: [clusterAddress(state)],
    resolvConf: join(folder, 'resolv.conf'),
    containerRuntimeEndpoint: `unix://${containerdSocket(state)}`,
    podLogsDir: join(folder, 'podlogs'),
    ...limits(state),
  };
}

// A cgroup of its own: a kubelet ends every process below its root that it does not know. The rest is for machines
// with cgroup v1 and without the right to raise limits or lower OOM scores (sandboxes), and for small disks.
function limits(state: ClusterState): object {
  return {
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroupName(state.instance)}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    protectKernelDefaults: false,
    enforceNodeAllocatable: ['pods'],
    evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    serializeImagePulls: false,
    containerLogMaxSize: '10Mi',
  };
}

function kubeProxyConfig(state: ClusterState): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    bindAddress: '127.0.0.1',
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    clusterCIDR: podRange,
    hostnameOverride: nodeName,
    clientConnection: { kubeconfig: kubeconfigFile(folderOf(state.instance), 'kube-proxy') },
    conntrack: { maxPerCore: 0 },
  };
}
