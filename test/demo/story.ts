import type { AIWorkflow } from '../../src/api/aiworkflow.ts';
import { until } from '../cluster/poll.ts';
import { install } from './install.ts';
import { Narrator } from './narrator.ts';
import { recordPool } from './pool.ts';
import type { PoolRecord } from './pool.ts';
import { demoNamespace } from './stage.ts';
import type { Stage } from './stage.ts';
import { claimsOfPool, claimsOfRun } from './verdict.ts';

const worker = 'gpu-pool';
const run = 'inference';
const at = ['--namespace', demoNamespace];
const examples = 'examples/python-inference';
/** How long an earlier demo's pool may take to fall asleep, and this one's after its run. */
const sleepMs = 120_000;

/** Tells the main job from the installation to the pool's sleep. Returns whether everything was as promised. */
export async function tell(stage: Stage): Promise<boolean> {
  const narrator = new Narrator(stage.tools);
  await install(stage, narrator);
  await applyPool(stage, narrator);
  const pool = recordPool(stage.tools, { namespace: demoNamespace, worker }, (text) => narrator.event(text));
  try {
    await until('the watch of the pool', 30_000, () => pool.replicas.length > 0);
    const finished = await runOnce(stage, narrator);
    narrator.chapter('The pool, asleep again');
    await until('the pool to fall asleep', sleepMs, () => pool.replicas.at(-1) === 0 && pool.pods.at(-1)?.end);
    await until('the pod to be gone', sleepMs, () => isAsleep(stage.tools));
    await narrator.run('kubectl', ['get', 'workers,deployments,pods', ...at]);
    return judge(finished, pool, narrator);
  } finally {
    pool.stop();
  }
}

async function applyPool({ tools, pool, changes }: Stage, narrator: Narrator): Promise<void> {
  narrator.chapter('A pool of GPU workers, asleep');
  for (const change of changes) narrator.line(`(${change})`);
  const asIs = changes.length === 0;
  const source = asIs ? `${examples}/pool.yaml` : '-';
  await narrator.run('kubectl', ['apply', ...at, '--filename', source], asIs ? {} : { input: pool });
  // A run of an earlier demo goes first, so that the same manifest starts a new one.
  await tools.kubectl(['delete', 'aiwf', run, ...at, '--ignore-not-found', '--timeout=120s']);
  await tools.kubectl(['wait', `worker/${worker}`, ...at, '--for=condition=Ready', '--timeout=60s']);
  await until('the pool of an earlier demo to fall asleep', sleepMs, () => isAsleep(tools));
  await narrator.run('kubectl', ['get', 'workers,deployments,pods', ...at]);
}

async function isAsleep({ kubectl }: Stage['tools']): Promise<boolean> {
  const replicas = await kubectl(['get', 'deployment', worker, ...at, '--output=jsonpath={.spec.replicas}']);
  return replicas === '0' && (await kubectl(['get', 'pods', ...at, '--output=name'])) === '';
}

async function runOnce({ tools }: Stage, narrator: Narrator): Promise<AIWorkflow> {
  narrator.chapter('A run, which wakes the pool');
  narrator.mark();
  await narrator.run('kubectl', ['apply', ...at, '--filename', `${examples}/workflow.yaml`]);
  await narrator.run('kubectl', ['wait', `aiwf/${run}`, ...at, '--for=condition=Finished', '--timeout=180s']);
  await narrator.run('kubectl', ['get', 'aiwf', run, ...at, '--output=yaml']);
  return JSON.parse(await tools.kubectl(['get', 'aiwf', run, ...at, '--output=json'])) as AIWorkflow;
}

function judge(finished: AIWorkflow, pool: PoolRecord, narrator: Narrator): boolean {
  narrator.chapter('What was promised');
  const judged = [...claimsOfRun(finished), ...claimsOfPool(pool)];
  for (const { text, holds } of judged) narrator.line(`${holds ? '✓' : '✗'} ${text}`);
  return judged.every(({ holds }) => holds);
}
