import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { LocalCluster } from '../cluster/cluster.ts';
import { launch } from '../cluster/launch.ts';
import { repository } from '../cluster/places.ts';
import { applyCrds, freshNamespace, freshTemporalNamespace } from '../cluster/shared.ts';
import { startPythonWorker } from '../integration/pythonworker.ts';
import { bareFigures } from './bare.ts';
import { operatorFigures } from './operator.ts';
import type { Figures } from './stopwatch.ts';

/** What both sides of a comparison are given: the same cluster, the same worker, the same work. */
export interface Bench {
  readonly cluster: LocalCluster;
  readonly temporalNamespace: string;
  readonly taskQueue: string;
  readonly workflowType: string;
  readonly names: readonly string[];
  readonly inFlight: number;
  readonly manifest: (name: string) => object;
}

const program = new Command('bench')
  .description('Runs, many at once: the operator, and in the same minutes a bare script that makes the same calls')
  .option('--runs <count>', 'how many', Number, 300)
  .option('--in-flight <count>', 'at most so many at once', Number, 64)
  .option('--rounds <count>', 'how often each side is measured, in turn', Number, 3);
program.parse();
const { runs, inFlight, rounds } = program.opts<{ runs: number; inFlight: number; rounds: number }>();

const cluster = await launch();
try {
  await report(await measure());
} finally {
  await cluster.remove();
}

type Round = Readonly<Record<'operator' | 'bare', Figures>>;

async function measure(): Promise<Round[]> {
  await applyCrds(cluster);
  const taskQueue = 'bench';
  const temporalNamespace = await freshTemporalNamespace(cluster, 'bench');
  await using worker = await startPythonWorker({
    env: {
      ...{ TEMPORAL_ADDRESS: cluster.temporalAddress, TEMPORAL_NAMESPACE: temporalNamespace },
      ...{ TEMPORAL_TASK_QUEUE: taskQueue, AIWORKFLOW_SLOTS: '100' },
    },
  });
  await worker.printed('Polling');
  const workflowType = 'AIWorkflow';
  const names = Array.from({ length: runs }, (_, index) => `run-${index}`);
  const manifest = (name: string) => ({
    ...{ apiVersion: 'aiworkflow.dev/v1alpha1', kind: 'AIWorkflow', metadata: { name } },
    spec: { workflow: { type: workflowType, taskQueue, args: [name] } },
  });
  const bench = { cluster, temporalNamespace, taskQueue, workflowType, names, inFlight, manifest };
  const measured: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const bare = await bareFigures(bench, await freshNamespace(cluster, 'bare'));
    const operator = await operatorFigures(bench, await freshNamespace(cluster, 'bench'));
    console.log(`round ${round}: operator ${operator.perSecond} runs/s, bare script ${bare.perSecond} runs/s`);
    measured.push({ operator, bare });
  }
  return measured;
}

/** The round in the middle, by the ratio of both sides: machines are noisy, ratios less so. */
async function report(measured: readonly Round[]): Promise<void> {
  const ratioOf = ({ operator, bare }: Round) => operator.perSecond / bare.perSecond;
  const middle = [...measured].sort((a, b) => ratioOf(a) - ratioOf(b))[Math.floor(measured.length / 2)];
  if (!middle) return;
  const row = (side: string, { perSecond, startedMs, finalMs }: Figures) =>
    `| ${side} | ${perSecond} | ${startedMs.p50} / ${startedMs.p95} | ${finalMs.p50} / ${finalMs.p95} |`;
  const table = [
    `${runs} runs, ${inFlight} in flight, the middle one of ${rounds} rounds; operator to bare script: ${ratioOf(middle).toFixed(2)}`,
    '',
    '| | runs/s | apply → started, p50 / p95 ms | apply → final status, p50 / p95 ms |',
    '| --- | --- | --- | --- |',
    row('operator', middle.operator),
    row('bare script (the ceiling)', middle.bare),
  ].join('\n');
  const folder = join(repository, 'test/bench/results');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'runs.json'), `${JSON.stringify({ runs, inFlight, rounds: measured }, null, 2)}\n`);
  await writeFile(join(folder, 'runs.md'), `${table}\n`);
  console.log(`\n${table}`);
}
