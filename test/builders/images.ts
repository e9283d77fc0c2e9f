import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, keyOf } from '../cluster/cache.ts';
import { run } from '../cluster/command.ts';
import type { ImageRequest } from '../cluster/images.ts';
import { repository } from '../cluster/places.ts';
import { narrate } from '../cluster/progress.ts';
import type { Progress } from '../cluster/progress.ts';

/** The image that the manifests of `examples/python-inference` name. */
export const exampleImage = 'localhost/aiworkflow/python-inference:1';

const kit = join(repository, 'kits/python/src/aiworkflow_worker');
const example = join(repository, 'examples/python-inference');

/** Bundles the operator and says how its image is built. Its tag tells its contents, so that an upgrade is one. */
export async function operatorImage(progress: Progress): Promise<ImageRequest> {
  await narrate(progress, 'bundling the operator … about 2 s', () =>
    run(process.execPath, [join(repository, 'tools/build.ts')], { cwd: repository }),
  );
  const dockerfile = join(repository, 'deploy/Dockerfile');
  const bundle = join(repository, 'dist/aiworkflow.mjs');
  const tag = `localhost/aiworkflow/operator:${keyOf(await readFile(bundle), await readFile(dockerfile))}`;
  return { dockerfile, context: repository, tag, base: 'node' };
}

/** Gathers the example's packages, once for the same sources, and says how its worker's image is built. */
export async function pythonInferenceImage(progress: Progress): Promise<ImageRequest> {
  const context = await exampleContext(progress);
  return { dockerfile: join(context, 'Dockerfile'), context, tag: exampleImage, base: 'python' };
}

/** The folder that the example's `build-context.sh` makes. */
export async function exampleContext(progress: Progress): Promise<string> {
  const sources = (await Promise.all([example, kit, join(kit, '../..')].map(filesIn))).flat();
  const place = await cached(`contexts/python-inference-${keyOf(...sources)}`, ['context'], (aside) =>
    narrate(progress, 'fetching the packages of the Python worker … about 20 s the first time', async () => {
      await run('sh', [join(example, 'build-context.sh'), join(aside, 'context')]);
    }),
  );
  return join(place, 'context');
}

async function filesIn(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return Promise.all(names.sort().map((name) => readFile(join(folder, name))));
}
