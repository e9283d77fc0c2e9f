import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyOf } from './cache.ts';
import { ctr } from './containerd.ts';
import { baseTag, makeBaseImage } from './images-base.ts';
import type { BaseKind } from './images-base.ts';
import { buildahBuild } from './images-buildah.ts';
import { imageFile } from './images-cache.ts';
import { narrate } from './progress.ts';
import type { Progress } from './progress.ts';
import { folderOf } from './state.ts';
import type { ClusterState } from './state.ts';

/** An image to be built without any registry. */
export interface ImageRequest {
  readonly dockerfile: string;
  readonly context: string;
  readonly tag: string;
  /** Given to the Dockerfile as its argument BASE; `none` for one that starts from scratch. */
  readonly base: BaseKind | 'none';
}

/** Builds the image, once for the same contents, and returns the file that it is in. */
export async function buildImage(request: ImageRequest, progress: Progress): Promise<string> {
  const { dockerfile, context, tag, base } = request;
  const from = base === 'none' ? undefined : await baseTag(base);
  const key = keyOf(tag, from ?? '', await readFile(dockerfile), ...(await contentsOf(dockerfile, context)));
  return imageFile(key, tag, async () => {
    if (base !== 'none' && from !== undefined) await makeBaseImage(base, from, progress);
    const args = from === undefined ? {} : { BASE: from };
    await narrate(progress, `building image ${tag} … about 10 s`, () =>
      buildahBuild({ dockerfile, context, tag, args }),
    );
  });
}

/** Puts the image into the cluster's node, unless it is there already. Pods use it with `imagePullPolicy: Never`. */
export async function importImage(state: ClusterState, tag: string, file: string): Promise<void> {
  const record = join(folderOf(state.instance), 'images.json');
  const imported = JSON.parse(await readFile(record, 'utf8').catch(() => '{}')) as Record<string, string>;
  if (imported[tag] === file) return;
  await ctr(state, 'images', 'import', file);
  await writeFile(record, JSON.stringify({ ...imported, [tag]: file }));
}

// Only what is copied decides; where that cannot be read off the Dockerfile, everything in the context does.
async function contentsOf(dockerfile: string, context: string): Promise<(string | Buffer)[]> {
  const copies = (await readFile(dockerfile, 'utf8')).split('\n').filter((line) => /^\s*(COPY|ADD)\s/i.test(line));
  const sources = copies.flatMap((line) =>
    line
      .trim()
      .split(/\s+/)
      .slice(1, -1)
      .filter((word) => !word.startsWith('--')),
  );
  const isPlain = sources.every((source) => !/[[\]$*?]/.test(source));
  const parts = await Promise.all((isPlain ? sources : ['.']).map((source) => contentsBelow(context, source)));
  return parts.flat();
}

async function contentsBelow(root: string, path: string): Promise<(string | Buffer)[]> {
  const file = join(root, path);
  const found = await stat(file);
  if (found.isFile()) return [path, String(found.mode), await readFile(file)];
  const entries = (await readdir(file)).sort();
  return (await Promise.all(entries.map((entry) => contentsBelow(root, join(path, entry))))).flat();
}
