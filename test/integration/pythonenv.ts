import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, keyOf } from '../cluster/cache.ts';
import { run } from '../cluster/command.ts';
import { repository } from '../cluster/places.ts';

const kit = join(repository, 'kits/python');

/**
 * The path of a Python that has the worker kit of this checkout installed, with its pinned dependencies, pytest and
 * mypy. Made once for each content of the kit (about 15 s), in the cache beside the programs of the cluster.
 */
export async function pythonWithKit(): Promise<string> {
  const version = await run('python3', ['--version']);
  const place = await cached(`python-${keyOf(version, ...(await kitFiles()))}`, ['venv'], install);
  return join(place, 'venv/bin/python');
}

/** Names and contents of all that `pip install` reads. */
async function kitFiles(): Promise<string[]> {
  const packaged = await readdir(join(kit, 'src/aiworkflow_worker'));
  const names = packaged
    .filter((name) => !name.startsWith('__pycache__'))
    .map((name) => `src/aiworkflow_worker/${name}`);
  const all = ['pyproject.toml', 'requirements.txt', 'requirements-dev.txt', ...names.sort()];
  return Promise.all(all.map(async (name) => `${name}\n${await readFile(join(kit, name), 'utf8')}`));
}

async function install(folder: string): Promise<void> {
  const venv = join(folder, 'venv');
  const python = join(venv, 'bin/python');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await run('python3', ['-m', 'venv', venv]);
  await run(python, [...pip, '--requirement', join(kit, 'requirements-dev.txt')]);
  // pip builds in the source folder and leaves files there: it gets a copy.
  const copy = await mkdtemp(join(tmpdir(), 'aiworkflow-kit-'));
  try {
    await cp(kit, copy, { recursive: true });
    await run(python, [...pip, '--no-deps', copy]);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
