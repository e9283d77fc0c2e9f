import { spawnSync } from 'node:child_process';

/** Types, lint, format and generated files; all of them run, so that one look shows every mistake. */
const steps: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['types', 'tsc', ['--noEmit', '-p', '.']],
  ['lint', 'eslint', ['--max-warnings=0', '.']],
  ['format', 'prettier', ['--check', '--log-level=warn', '.']],
  ['generate', 'make', ['--no-print-directory', 'generate']],
  // Compared with what is committed or staged: generation must leave no diff.
  ['generated files are clean', 'git', ['diff', '--exit-code', '--stat', '--', 'crds', 'charts', 'deploy']],
];

let failed = 0;
for (const [name, command, args] of steps) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) failed += 1;
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`);
}
process.exitCode = failed === 0 ? 0 : 1;
