import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './poll.ts';

const mountPoint = '/sys/fs/cgroup';
const controllers = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'];
const emptyMs = 20_000;

/** The control group that holds all pods of a cluster. */
export function cgroupName(instance: string): string {
  return `aiworkflow-${instance}`;
}

/** Makes it in every hierarchy, for the kubelet wants its root to be there. */
export async function makeCgroup(instance: string): Promise<void> {
  // Version 2 gives a group only the controllers that its parent hands on.
  for (const controller of controllers) {
    // Never making the file: version 1 has none, and its mount point is a folder like any other.
    await writeFile(join(mountPoint, 'cgroup.subtree_control'), `+${controller}`, { flag: 'r+' }).catch(
      () => undefined,
    );
  }
  for (const root of await hierarchies()) await mkdir(join(root, cgroupName(instance)), { recursive: true });
}

/** Ends every process in it, then removes it from every hierarchy. */
export async function removeCgroup(instance: string): Promise<void> {
  await until('the pods to have no process left', emptyMs, async () => {
    const pids = (await Promise.all((await groupsOf(instance)).map(processesIn))).flat();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    return pids.length === 0;
  });
  await until('the pods to have no control group left', emptyMs, async () => {
    const groups = await groupsOf(instance);
    for (const group of groups) await rmdir(group).catch(() => undefined);
    return groups.length === 0;
  });
}

// Version 1 mounts one hierarchy a controller below the mount point; version 2 is the mount point.
async function hierarchies(): Promise<string[]> {
  const isVersion2 = (await readdir(mountPoint)).includes('cgroup.controllers');
  if (isVersion2) return [mountPoint];
  const entries = await readdir(mountPoint, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(mountPoint, entry.name));
}

// Deepest first, as they must be removed.
async function groupsOf(instance: string): Promise<string[]> {
  const roots = (await hierarchies()).map((root) => join(root, cgroupName(instance)));
  return (await Promise.all(roots.map(groupsBelow))).flat();
}

async function groupsBelow(group: string): Promise<string[]> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const children = entries.filter((entry) => entry.isDirectory()).map((entry) => groupsBelow(join(group, entry.name)));
  return [...(await Promise.all(children)).flat(), group];
}

async function processesIn(group: string): Promise<number[]> {
  const text = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).map(Number);
}
