import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, keyOf } from './cache.ts';
import { buildFlags, goPrograms } from './catalog.ts';
import type { GoProgram, GoProgramName } from './catalog.ts';
import { run, tryRun } from './command.ts';
import { repository } from './places.ts';
import { inWords, narrate } from './progress.ts';
import type { Progress } from './progress.ts';

const buildTimeoutMs = 40 * 60_000;

/** The program in the cache, built first where need be; the key is its module's pins, the Go version and the flags. */
export async function buildGoProgram(name: GoProgramName, progress: Progress): Promise<string> {
  const program: GoProgram = goPrograms[name];
  const folder = `programs/${program.module}-${await buildKey(program)}`;
  const place = await cached(folder, [name], async (aside) => {
    const about = inWords(program.estimateSeconds * 1_000);
    await narrate(progress, `building ${name} … about ${about} the first time`, () =>
      build(program, join(aside, name)),
    );
  });
  return join(place, name);
}

async function buildKey(program: GoProgram): Promise<string> {
  const module = join(repository, 'tools', program.module);
  const sources = (await readdir(module)).filter((file) => /\.(go|mod|sum)$/.test(file)).sort();
  const pins = await Promise.all(sources.map((file) => readFile(join(module, file))));
  return keyOf(...pins, await goVersion(), buildFlags(program.module).join(' '));
}

async function goVersion(): Promise<string> {
  const version = await tryRun('go', ['env', 'GOVERSION']);
  if (version === undefined) throw new Error('Go is missing: install Go 1.26 or later, it builds the local Kubernetes');
  return version.trim();
}

async function build(program: GoProgram, output: string): Promise<void> {
  const module = join(repository, 'tools', program.module);
  const args = ['build', '-C', module, ...buildFlags(program.module), '-o', output, program.package];
  await run('nice', ['go', ...args], {
    // With cgo they would need this machine's C library; with another toolchain, the network.
    env: { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '' },
    timeoutMs: buildTimeoutMs,
  });
}
