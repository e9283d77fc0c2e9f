import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from './identity.ts';
import { stateRoot } from './places.ts';

/** `loopback`: a control plane with make-believe nodes; `node`: with a real kubelet in a network namespace of its own. */
export type ClusterMode = 'loopback' | 'node';

/** The ports a cluster's servers listen on, kept over restarts. */
export interface ClusterPorts {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
  readonly temporal: number;
  readonly temporalHttp: number;
  readonly temporalMetrics: number;
}

/** The private network of a cluster in `node` mode. */
export interface ClusterNetwork {
  /** Name of the network namespace. */
  readonly namespace: string;
  /** This machine's end of the cable, by name. */
  readonly hostLink: string;
  readonly hostAddress: string;
  /** The node's address, on which API server and Temporal answer this machine and the pods. */
  readonly nodeAddress: string;
}

/** Everything another process needs to use, injure or remove a cluster. Written before what it tells of is done. */
export interface ClusterState {
  readonly instance: string;
  readonly mode: ClusterMode;
  /** The cluster ends with this process; without one it stays until `down`. */
  readonly owner?: ProcessIdentity | undefined;
  /** The boot this cluster belongs to: after another one, only its files are left. */
  readonly bootId: string;
  readonly ready: boolean;
  readonly ports: ClusterPorts;
  readonly network?: ClusterNetwork;
  /** How many GPUs the real node says it has. */
  readonly nodeGpus?: number;
  /** Kernel settings that the kubelet changes, as they were before. */
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly programs: Readonly<Record<string, string>>;
}

/** The folder of a cluster. */
export function folderOf(instance: string): string {
  return join(stateRoot(), instance);
}

/** A name nobody else has: short, for it becomes part of link names (15 characters at most). */
export function newInstance(): string {
  return randomBytes(3).toString('hex');
}

/** The clusters that have a folder, running or not. */
export async function instances(): Promise<string[]> {
  const entries = await readdir(stateRoot(), { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** What is on record of that cluster; undefined when there is no record (yet, or any more). */
export async function readState(instance: string): Promise<ClusterState | undefined> {
  const text = await readFile(join(folderOf(instance), 'cluster.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ClusterState);
}

/** Puts it on record, whole or not at all. */
export async function writeState(state: ClusterState): Promise<ClusterState> {
  const folder = folderOf(state.instance);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'cluster.json');
  await writeFile(`${file}.new`, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return state;
}

/** The kernel's name for the time since it last started. */
export async function currentBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
