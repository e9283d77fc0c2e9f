import { run, tryRun } from './command.ts';
import { instances, readState } from './state.ts';
import type { ClusterNetwork } from './state.ts';

/** A private network for a cluster: not yet made, but nobody else's. Call it under the launcher's lock. */
export async function chooseNetwork(instance: string): Promise<ClusterNetwork> {
  const taken = new Set<string | undefined>();
  for (const other of await instances()) taken.add((await readState(other))?.network?.hostAddress);
  const routes = await run('ip', ['-4', 'route', 'show', 'table', 'all']);
  for (let index = 0; index < 256; index += 1) {
    const hostAddress = `10.213.${index}.1`;
    if (taken.has(hostAddress) || routes.includes(`10.213.${index}.`)) continue;
    const nodeAddress = `10.213.${index}.2`;
    return { namespace: `aiworkflow-${instance}`, hostLink: `aiworkflow${index}`, hostAddress, nodeAddress };
  }
  throw new Error('All 256 networks for local clusters are taken');
}

/**
 * Makes the network namespace and the cable between it and this machine. Nothing is forwarded or translated: what runs
 * inside reaches this machine's own address and nothing beyond.
 */
export async function makeNetwork({ namespace, hostLink, hostAddress, nodeAddress }: ClusterNetwork): Promise<void> {
  const ip = (line: string) => run('ip', line.split(' '));
  await ip(`netns add ${namespace}`);
  await ip(`-n ${namespace} link set lo up`);
  await ip(`link add ${hostLink} type veth peer name uplink netns ${namespace}`);
  await ip(`addr add ${hostAddress}/30 dev ${hostLink}`);
  await ip(`link set ${hostLink} up`);
  await ip(`-n ${namespace} addr add ${nodeAddress}/30 dev uplink`);
  await ip(`-n ${namespace} link set uplink up`);
  // The API server and the kubelet both ask for the default route when they look for their own address.
  await ip(`-n ${namespace} route add default via ${hostAddress} dev uplink`);
  await run('modprobe', ['br_netfilter']).catch(() => undefined); // built in, or not ours to load: the next line tells
  const settings = ['net.ipv4.ip_forward=1', 'net.bridge.bridge-nf-call-iptables=1'];
  await run('nsenter', [`--net=/run/netns/${namespace}`, '--', 'sysctl', '-q', '-w', ...settings]);
}

/** Removes both; may be called twice, and when only half was made. */
export async function removeNetwork({ namespace, hostLink }: ClusterNetwork): Promise<void> {
  await tryRun('ip', ['link', 'del', hostLink]);
  await tryRun('ip', ['netns', 'del', namespace]);
}
