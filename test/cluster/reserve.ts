import { join } from 'node:path';
import { ownIdentity } from './identity.ts';
import { withLock } from './lock.ts';
import { chooseNetwork } from './network.ts';
import { stateRoot } from './places.ts';
import { freePorts } from './ports.ts';
import { currentBootId, instances, readState, writeState } from './state.ts';
import type { ClusterPorts, ClusterState } from './state.ts';
import { settingsBefore } from './sysctls.ts';

/** What the caller decides of a new cluster. */
export type Wishes = Pick<ClusterState, 'instance' | 'mode' | 'programs' | 'nodeGpus'>;

const names = /^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/;

/** Puts a new cluster on record, with addresses that no other has; nothing of it is made yet. It is owned by us. */
export async function reserve(wishes: Wishes): Promise<ClusterState> {
  const { instance, mode } = wishes;
  if (!names.test(instance)) throw new Error(`${instance} cannot be a cluster's name: small letters, digits, dashes`);
  return withLock(join(stateRoot(), 'reserve.lock'), async () => {
    if (await readState(instance)) throw new Error(`A local cluster called ${instance} is already there`);
    return writeState({
      ...wishes,
      ...(mode === 'node' && { network: await chooseNetwork(instance), sysctls: await settingsBefore() }),
      owner: ownIdentity(),
      bootId: await currentBootId(),
      ready: false,
      ports: mode === 'node' ? usualPorts : await portsOnLoopback(),
    });
  });
}

// In a network of its own every port is free.
const usualPorts: ClusterPorts = {
  etcd: 2379,
  etcdPeer: 2380,
  apiServer: 6443,
  controllerManager: 10_257,
  scheduler: 10_259,
  temporal: 7_233,
  temporalHttp: 7_243,
  temporalMetrics: 7_253,
};

async function portsOnLoopback(): Promise<ClusterPorts> {
  const names = Object.keys(usualPorts) as (keyof ClusterPorts)[];
  const taken = await takenPorts();
  const ports = (await freePorts(names.length + taken.size)).filter((port) => !taken.has(port));
  const pairs = names.map((name, index) => [name, ports[index] ?? 0] as const);
  return Object.fromEntries(pairs) as unknown as ClusterPorts;
}

// Free at this moment is not enough: another cluster's server may just be down, or not up yet.
async function takenPorts(): Promise<Set<number>> {
  const states = await Promise.all((await instances()).map(readState));
  const onLoopback = states.filter((state) => state !== undefined && state.network === undefined);
  return new Set(onLoopback.flatMap((state) => Object.values<number>({ ...state?.ports })));
}
