import { createHash } from 'node:crypto';
import { mkdtemp, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withLock } from './lock.ts';
import { cacheRoot } from './places.ts';
import { isExecutable } from './executables.ts';

/** A short name for contents: equal parts give equal keys. */
export function keyOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}

/**
 * The folder of that name in the cache, which holds the programs named. Where they are not there yet, `fill` puts them
 * into an empty folder beside it, from which they are renamed into place: no run ever sees half a program, and two runs
 * never make the same one at once.
 */
export async function cached(
  folder: string,
  files: readonly string[],
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const target = join(cacheRoot(), folder);
  const isThere = async () => (await Promise.all(files.map((file) => isExecutable(join(target, file))))).every(Boolean);
  if (await isThere()) return target;
  return withLock(join(cacheRoot(), 'locks', basename(folder)), async () => {
    if (!(await isThere())) await fillAside(target, files, fill);
    return target;
  });
}

async function fillAside(
  target: string,
  files: readonly string[],
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  await mkdir(target, { recursive: true });
  const aside = await mkdtemp(join(dirname(target), '.making-'));
  try {
    await fill(aside);
    for (const file of files) await rename(join(aside, file), join(target, file));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}
