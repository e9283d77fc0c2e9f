import { copyFile, mkdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { run, tryRun } from './command.ts';

const systemFolders = ['/lib/', '/lib64/', '/usr/lib/', '/usr/lib64/'];

/**
 * Copies programs or libraries into a root file system, each to the place that `at` names or else to its own, with every
 * library they need; `libraries` leaves out the files themselves. Libraries from unusual places go to /usr/local/lib.
 */
export async function copyWithLibraries(
  files: readonly string[],
  rootfs: string,
  at: Readonly<Record<string, string>> = {},
  what: 'all' | 'libraries' = 'all',
): Promise<void> {
  const wanted = new Map<string, string>();
  for (const file of files) {
    if (what === 'all') wanted.set(at[file] ?? placeFor(file), file);
    for (const library of await librariesOf(file)) wanted.set(placeFor(library), library);
  }
  for (const [place, source] of wanted) await copyOnce(source, join(rootfs, place));
}

/** Where this machine has the library of that name, as its own programs would find it. */
export async function libraryNamed(name: string): Promise<string> {
  const known = await run('ldconfig', ['-p'], { env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } });
  const path = known
    .split('\n')
    .find((line) => line.trim().startsWith(`${name} `))
    ?.split(' => ')[1];
  if (path === undefined) throw new Error(`This machine has no ${name}`);
  return path.trim();
}

// The dynamic loader knows best: what it would load is what must be there.
async function librariesOf(file: string): Promise<string[]> {
  const lines = ((await tryRun('ldd', [file])) ?? '').split('\n');
  return lines.flatMap((line) => /(?:=> |^\s*)(\/\S+) \(/.exec(line)?.[1] ?? []);
}

function placeFor(file: string): string {
  const isUsual = systemFolders.some((folder) => file.startsWith(folder));
  return isUsual ? file : join('/usr/local/lib', basename(file));
}

async function copyOnce(source: string, target: string): Promise<void> {
  if (await stat(target).catch(() => undefined)) return;
  await mkdir(dirname(target), { recursive: true });
  await copyFile(await realpath(source), target);
}
