import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditFlags, auditPolicy } from './audit.ts';
import { kubeconfigFile, writeKubeconfig } from './kubeconfig.ts';
import { makePki, pkiFolder } from './pki.ts';
import type { CertificateRequest } from './pki.ts';
import type { ProcessSpec } from './processes.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';

/** Service addresses; the API server itself is the first of them, the name server the tenth. */
export const serviceRange = '10.96.0.0/16';
export const apiServerServiceIp = '10.96.0.1';
/** Addresses of pods on the real node. */
export const podRange = '10.244.0.0/16';

/** The address on which the cluster's servers answer this machine. */
export function clusterAddress(state: ClusterState): string {
  return state.network?.nodeAddress ?? '127.0.0.1';
}

/** The API server's URL, the same from this machine and from inside the cluster's network. */
export function apiServerUrl(state: ClusterState): string {
  return `https://${clusterAddress(state)}:${state.ports.apiServer}`;
}

const clientNames = [
  ...['admin', 'controller-manager', 'scheduler', 'kwok', 'podrunner', 'node1', 'kube-proxy', 'coredns'],
];

/** Keys, certificates, kubeconfigs and the audit policy: all that must stand on disk before the first server starts. */
export async function prepareControlPlane(state: ClusterState): Promise<void> {
  const folder = folderOf(state.instance);
  await makePki(folder, certificates(state));
  const server = apiServerUrl(state);
  await Promise.all(
    clientNames.map((name) => writeKubeconfig(folder, name, { server, credentials: { certificate: name } })),
  );
  await mkdir(join(folder, 'audit'), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'audit/policy.json'), JSON.stringify(auditPolicy));
}

function certificates(state: ClusterState): CertificateRequest[] {
  const service = 'DNS:kubernetes.default.svc';
  const local = ['DNS:localhost', 'IP:127.0.0.1', `IP:${clusterAddress(state)}`];
  const api = [
    'DNS:kubernetes',
    'DNS:kubernetes.default',
    service,
    `${service}.cluster.local`,
    `IP:${apiServerServiceIp}`,
  ];
  const client = (name: string, commonName: string, organization?: string): CertificateRequest => ({
    name,
    authority: 'ca',
    commonName,
    ...(organization !== undefined && { organization }),
  });
  const node = client('node1', 'system:node:node1', 'system:nodes');
  return [
    { name: 'apiserver', authority: 'ca', commonName: 'kube-apiserver', names: [...local, ...api] },
    { ...node, name: 'node1-server', names: ['DNS:node1', ...local] },
    node,
    client('admin', 'admin', 'system:masters'),
    client('kubelet-client', 'kube-apiserver-kubelet-client', 'system:masters'),
    // Make-believe nodes need the rights of all nodes at once, and of none in particular.
    client('kwok', 'kwok', 'system:masters'),
    client('podrunner', 'podrunner', 'system:masters'),
    client('controller-manager', 'system:kube-controller-manager'),
    client('scheduler', 'system:kube-scheduler'),
    client('kube-proxy', 'system:kube-proxy'),
    client('coredns', 'coredns', 'system:masters'),
    { name: 'front-proxy-client', authority: 'front-proxy-ca', commonName: 'front-proxy-client' },
    { name: 'etcd', authority: 'etcd-ca', commonName: 'etcd', names: ['DNS:localhost', 'IP:127.0.0.1'] },
    { name: 'etcd-client', authority: 'etcd-ca', commonName: 'apiserver' },
  ];
}

/** etcd on loopback, only for holders of our certificate. */
export function etcdSpec(state: ClusterState): ProcessSpec {
  const folder = folderOf(state.instance);
  const pki = pkiFolder(folder);
  const client = `https://127.0.0.1:${state.ports.etcd}`;
  const peer = `http://127.0.0.1:${state.ports.etcdPeer}`;
  return spec(state, 'etcd', 'etcd', {
    name: 'only',
    'data-dir': join(folder, 'etcd'),
    // Safe against kill -9 of the process, which is what tests do; not against a loss of power.
    'unsafe-no-fsync': 'true',
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `only=${peer}`,
    'cert-file': join(pki, 'etcd.crt'),
    'key-file': join(pki, 'etcd.key'),
    'client-cert-auth': 'true',
    'trusted-ca-file': join(pki, 'etcd-ca.crt'),
    'log-level': 'warn',
  });
}

/** The controller-manager, with the credentials of its own controllers, so that RBAC is as on a real cluster. */
export function controllerManagerSpec(state: ClusterState): ProcessSpec {
  const pki = pkiFolder(folderOf(state.instance));
  return spec(state, 'controller-manager', 'kube-controller-manager', {
    ...componentFlags(state, 'controller-manager', state.ports.controllerManager),
    'service-account-private-key-file': join(pki, 'sa.key'),
    'root-ca-file': join(pki, 'ca.crt'),
    'cluster-signing-cert-file': join(pki, 'ca.crt'),
    'cluster-signing-key-file': join(pki, 'ca.key'),
    'use-service-account-credentials': 'true',
    ...(state.mode === 'node' && {
      'allocate-node-cidrs': 'true',
      'cluster-cidr': podRange,
      controllers: '*,-node-route-controller',
    }),
  });
}

/** The scheduler. */
export function schedulerSpec(state: ClusterState): ProcessSpec {
  return spec(state, 'scheduler', 'kube-scheduler', componentFlags(state, 'scheduler', state.ports.scheduler));
}

/** The API server, with an audit log of every write. */
export function apiServerSpec(state: ClusterState): ProcessSpec {
  const folder = folderOf(state.instance);
  const network = state.mode === 'node' ? nodeApiServerFlags(state) : loopbackApiServerFlags;
  const flags = { ...apiServerFlags(state), ...requestHeaderFlags(folder), ...auditFlags(folder), ...network };
  return spec(state, 'apiserver', 'kube-apiserver', flags);
}

function apiServerFlags(state: ClusterState): Record<string, string> {
  const pki = pkiFolder(folderOf(state.instance));
  return {
    'etcd-servers': `https://127.0.0.1:${state.ports.etcd}`,
    'etcd-cafile': join(pki, 'etcd-ca.crt'),
    'etcd-certfile': join(pki, 'etcd-client.crt'),
    'etcd-keyfile': join(pki, 'etcd-client.key'),
    'secure-port': String(state.ports.apiServer),
    'tls-cert-file': join(pki, 'apiserver.crt'),
    'tls-private-key-file': join(pki, 'apiserver.key'),
    'client-ca-file': join(pki, 'ca.crt'),
    'authorization-mode': 'Node,RBAC',
    'anonymous-auth': 'false',
    'enable-admission-plugins': 'NodeRestriction,OwnerReferencesPermissionEnforcement',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': join(pki, 'sa.pub'),
    'service-account-signing-key-file': join(pki, 'sa.key'),
    'service-cluster-ip-range': serviceRange,
    'allow-privileged': 'true',
    profiling: 'false',
  };
}

function requestHeaderFlags(folder: string): Record<string, string> {
  const pki = pkiFolder(folder);
  return {
    'requestheader-client-ca-file': join(pki, 'front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': join(pki, 'front-proxy-client.crt'),
    'proxy-client-key-file': join(pki, 'front-proxy-client.key'),
  };
}

// A loopback address is no legal endpoint of a Service, so nobody may try to make it one.
const loopbackApiServerFlags = { 'bind-address': '127.0.0.1', 'endpoint-reconciler-type': 'none' };

function nodeApiServerFlags(state: ClusterState): Record<string, string> {
  const pki = pkiFolder(folderOf(state.instance));
  return {
    'bind-address': '0.0.0.0', // of its own network namespace: reachable from this machine and the pods only
    'advertise-address': clusterAddress(state),
    // Without it the API server looks the node up by name to fetch logs, and there is no such name.
    'kubelet-preferred-address-types': 'InternalIP',
    'kubelet-client-certificate': join(pki, 'kubelet-client.crt'),
    'kubelet-client-key': join(pki, 'kubelet-client.key'),
    'kubelet-certificate-authority': join(pki, 'ca.crt'),
    'enable-aggregator-routing': 'true',
  };
}

function componentFlags(state: ClusterState, name: string, port: number): Record<string, string> {
  const kubeconfig = kubeconfigFile(folderOf(state.instance), name);
  return {
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': '127.0.0.1',
    'secure-port': String(port),
    'leader-elect': 'false',
  };
}

function spec(state: ClusterState, name: string, program: string, flags: Record<string, string>): ProcessSpec {
  return {
    name,
    program: state.programs[program] ?? program,
    args: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
    ...(state.network && { netns: state.network.namespace }),
  };
}
