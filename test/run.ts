import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';

/**
 * Runs the named layers one after the other and closes with one plain line,
 * `N passed, N failed`; the exit code says the same. `check` counts as one test.
 */
interface Tally {
  passed: number;
  failed: number;
}

const layers = process.argv.slice(2);
const results = 'build/test-results';
mkdirSync(results, { recursive: true });

const total: Tally = { passed: 0, failed: 0 };
for (const layer of layers) {
  const startedMs = Date.now();
  const tally = layer === 'check' ? runCheck() : runJest(layer);
  total.passed += tally.passed;
  total.failed += tally.failed;
  console.log(
    `-- ${layer}: ${tally.passed} passed, ${tally.failed} failed in ${Math.round((Date.now() - startedMs) / 1000)} s`,
  );
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function runCheck(): Tally {
  const { status } = spawnSync('node', ['test/check.ts'], { stdio: 'inherit' });
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function runJest(layer: string): Tally {
  const file = `${results}/${layer}.json`;
  rmSync(file, { force: true });
  const { status } = spawnSync(
    'node',
    [
      '--experimental-vm-modules',
      'node_modules/jest/bin/jest.js',
      '--selectProjects',
      layer,
      '--json',
      `--outputFile=${file}`,
      ...atOnce(layer),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return tallyOf(file, status);
}

/** Tests that mostly wait go several files at a time, on two cores, too; those under load go alone. */
function atOnce(layer: string): string[] {
  if (layer === 'unit') return ['--maxWorkers=4'];
  return layer === 'integration' ? ['--maxWorkers=2'] : ['--runInBand'];
}

/** A run that died without a report, or failed outside of any test, counts as one failure: never as nothing. */
function tallyOf(file: string, status: number | null): Tally {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    // Inside CI a skipped test is a failed one: nothing may be missing there.
    const failed =
      report.numFailedTests + report.numRuntimeErrorTestSuites + (process.env['CI'] ? report.numPendingTests : 0);
    return { passed: report.numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numRuntimeErrorTestSuites: number;
}
