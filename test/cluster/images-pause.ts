import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { imageFile } from './images-cache.ts';
import type { Progress } from './progress.ts';
import { buildGoProgram } from './programs-go.ts';
import { buildahBuild } from './images-buildah.ts';

/** The image of the process that holds a pod's namespaces. */
export const pauseTag = 'localhost/aiworkflow/pause:1';

/** The pause image as a file. */
export async function pauseImage(progress: Progress): Promise<string> {
  const program = await buildGoProgram('pause', progress);
  return imageFile(`pause-${basename(dirname(program))}`, pauseTag, async () => {
    const context = await mkdtemp(join(tmpdir(), 'aiworkflow-pause-'));
    try {
      await copyFile(program, join(context, 'pause'));
      await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n');
      await buildahBuild({ dockerfile: join(context, 'Dockerfile'), context, tag: pauseTag });
    } finally {
      await rm(context, { recursive: true, force: true });
    }
  });
}
