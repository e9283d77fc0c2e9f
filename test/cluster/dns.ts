import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterAddress } from './controlplane.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import type { ProcessSpec } from './processes.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';

/** Writes what CoreDNS answers: names of Services and pods, and a quick No to everything else, for nothing leaves here. */
export async function prepareDns(state: ClusterState): Promise<void> {
  const folder = folderOf(state.instance);
  const bind = `bind ${clusterAddress(state)}`;
  const cluster = `kubernetes {
    kubeconfig ${kubeconfigFile(folder, 'coredns')} local
    pods insecure
    ttl 5
  }`;
  // Two servers, for within one the template would come before the Services.
  const zones = `cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
  ${bind}
  errors
  ${cluster}
  cache 5
}
.:53 {
  ${bind}
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`;
  await writeFile(join(folder, 'Corefile'), zones);
}

/** The pods' name server, on the node's address. */
export function dnsSpec(state: ClusterState): ProcessSpec {
  return {
    name: 'coredns',
    program: state.programs['coredns'] ?? 'coredns',
    args: ['-conf', join(folderOf(state.instance), 'Corefile')],
    ...(state.network && { netns: state.network.namespace }),
  };
}
