import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { instances, readState } from './state.ts';

const changedByKubelet = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops'];

/** The kernel settings that a kubelet changes, as they were before the first cluster that runs one. */
export async function settingsBefore(): Promise<Record<string, string>> {
  const saved = (await otherClusters()).find((settings) => settings !== undefined);
  if (saved !== undefined) return { ...saved };
  const pairs = changedByKubelet.map(async (name) => [name, (await readFile(file(name), 'utf8')).trim()] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

/** Puts them back, unless another cluster still runs a kubelet. */
export async function restoreSettings(instance: string, settings: Readonly<Record<string, string>>): Promise<void> {
  if ((await otherClusters(instance)).some((others) => others !== undefined)) return;
  for (const [name, value] of Object.entries(settings)) await writeFile(file(name), value);
}

async function otherClusters(instance?: string): Promise<(Readonly<Record<string, string>> | undefined)[]> {
  const others = (await instances()).filter((other) => other !== instance);
  return Promise.all(others.map(async (other) => (await readState(other))?.sysctls));
}

function file(name: string): string {
  return join('/proc/sys', name);
}
