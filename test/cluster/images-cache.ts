import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { exportImage } from './images-buildah.ts';
import { withLock } from './lock.ts';
import { cacheRoot } from './places.ts';

/** The file of the image with that key in the cache; where there is none yet, the image is built and written to it. */
export async function imageFile(key: string, tag: string, build: () => Promise<void>): Promise<string> {
  const file = join(cacheRoot(), 'images', `${key}.tar`);
  const isThere = () =>
    access(file).then(
      () => true,
      () => false,
    );
  await withLock(join(cacheRoot(), 'locks', `image-${key}`), async () => {
    if (await isThere()) return;
    await build();
    await exportImage(tag, file);
  });
  return file;
}
