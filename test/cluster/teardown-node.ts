import { readFile, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeCgroup } from './cgroups.ts';
import { run } from './command.ts';
import { containerdFolder, podNetworkName } from './containerd.ts';
import { removeNetwork } from './network.ts';
import { until } from './poll.ts';
import { folderOf, instances, readState } from './state.ts';
import type { ClusterState } from './state.ts';
import { restoreSettings } from './sysctls.ts';

const unmountMs = 20_000;

/** Removes what a real node leaves in the kernel and outside the cluster's folder, once its servers have ended. */
export async function removeNodeTraces(state: ClusterState): Promise<void> {
  await removeCgroup(state.instance);
  await removeShimSockets(state);
  await unmountBelow(folderOf(state.instance));
  await removePodNetworkCache(state);
  if (!(await isAnotherNode(state.instance))) await removeSharedFolders();
  if (state.network !== undefined) await removeNetwork(state.network);
  if (state.sysctls !== undefined) await restoreSettings(state.instance, state.sysctls);
}

// Deepest first; a mount in use is tried again, for the processes in it are ending.
async function unmountBelow(folder: string): Promise<void> {
  await until(`nothing to be mounted below ${folder}`, unmountMs, async () => {
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
    const ours = mounts.filter((path) => path.startsWith(`${folder}/`)).sort();
    for (const path of ours.toReversed()) await run('umount', [path]).catch(() => undefined);
    return ours.length === 0;
  });
}

// containerd puts them outside its own folders; the address stands in each task's.
async function removeShimSockets(state: ClusterState): Promise<void> {
  const tasks = join(containerdFolder(state), 'state/io.containerd.runtime.v2.task/k8s.io');
  for (const task of await readdir(tasks).catch(() => [])) {
    const address = await readFile(join(tasks, task, 'address'), 'utf8').catch(() => '');
    const socket = address.trim().replace('unix://', '');
    if (socket !== '') await rm(socket, { force: true });
  }
}

// The network plug-ins' library remembers every pod's address in a place that cannot be chosen. What it keeps of our
// pods names our network, or (their loopback) a network namespace below our folder.
async function removePodNetworkCache(state: ClusterState): Promise<void> {
  const cache = '/var/lib/cni/results';
  for (const file of await readdir(cache).catch(() => [])) {
    const text = await readFile(join(cache, file), 'utf8').catch(() => '');
    const isOurs = text.includes(`"${podNetworkName(state)}"`) || text.includes(`${folderOf(state.instance)}/`);
    if (isOurs) await rm(join(cache, file), { force: true });
  }
}

async function isAnotherNode(instance: string): Promise<boolean> {
  const others = (await instances()).filter((other) => other !== instance);
  return (await Promise.all(others.map(readState))).some((state) => state?.mode === 'node');
}

// Places that kubelet and containerd use whatever they are told. Where anybody else uses them too they are not empty.
async function removeSharedFolders(): Promise<void> {
  const kubelet = '/var/lib/kubelet';
  const sockets = join(kubelet, 'device-plugins');
  const isOursAlone = String(await readdir(kubelet).catch(() => [])) === 'device-plugins';
  const files = isOursAlone ? ['kubelet.sock', 'kubelet_internal_checkpoint', 'DEPRECATION'] : [];
  for (const file of files) await rm(join(sockets, file), { force: true });
  const folders = [sockets, kubelet, '/run/containerd/s', '/run/containerd', '/var/lib/cni/results', '/var/lib/cni'];
  for (const folder of folders) await rmdir(folder).catch(() => undefined);
}
