import { delimiter, join } from 'node:path';
import { goPrograms } from './catalog.ts';
import type { GoProgramName, ProgramName, Programs } from './catalog.ts';
import { tryRun } from './command.ts';
import { isExecutable } from './executables.ts';
import type { Progress } from './progress.ts';
import { buildGoProgram } from './programs-go.ts';
import { kubectlAndHelm } from './programs-kubectl.ts';
import { temporalProgram } from './programs-temporal.ts';

/**
 * Finds each program, or makes it: KUBEBUILDER_ASSETS first, then the PATH, then our cache, then a build.
 * What is found outside the cache counts only if its version fits. Fails, and never skips, where one cannot be had.
 */
export async function findPrograms<Name extends ProgramName>(
  names: readonly Name[],
  progress: Progress,
): Promise<Programs<Name>> {
  const found: Partial<Record<ProgramName, string>> = {};
  for (const name of names) found[name] = await findOrMake(name, progress);
  return found as Programs<Name>;
}

async function findOrMake(name: ProgramName, progress: Progress): Promise<string> {
  if (name === 'temporal') return temporalProgram(progress);
  if (name === 'kubectl' || name === 'helm') return (await kubectlAndHelm())[name];
  return (await findElsewhere(name)) ?? buildGoProgram(name, progress);
}

async function findElsewhere(name: GoProgramName): Promise<string | undefined> {
  for (const folder of [process.env['KUBEBUILDER_ASSETS'], ...(process.env['PATH'] ?? '').split(delimiter)]) {
    if (folder === undefined || folder === '') continue;
    const file = join(folder, name);
    if ((await isExecutable(file)) && (await fits(name, file))) return file;
  }
  return undefined;
}

async function fits(name: GoProgramName, file: string): Promise<boolean> {
  const { versionArgs, fits: pattern } = goPrograms[name];
  return pattern.test((await tryRun(file, versionArgs)) ?? '');
}
