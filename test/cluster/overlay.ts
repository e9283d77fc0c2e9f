import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tryRun } from './command.ts';

/** Whether folders can be laid over each other on that folder's file system: not inside most containers. */
export async function overlayWorks(folder: string): Promise<boolean> {
  const probe = await mkdtemp(join(folder, '.overlay-'));
  try {
    const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => join(probe, name));
    for (const part of [lower, upper, work, merged]) await mkdir(part ?? probe);
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    const mounted = await tryRun('mount', ['-t', 'overlay', 'overlay', '-o', options, merged ?? probe]);
    if (mounted !== undefined) await tryRun('umount', [merged ?? probe]);
    return mounted !== undefined;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}
