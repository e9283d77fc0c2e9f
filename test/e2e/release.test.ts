import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { failureOf } from '../builders/tools.ts';
import { until } from '../cluster/poll.ts';
import { inventory } from './inventory.ts';
import { apply, aConnection, aRun, aTestPool, enterWorld, finished, installKinds, installOperator } from './world.ts';
import { leaveWorld, uninstall } from './world.ts';
import type { World } from './world.ts';

// One story: each test begins where the one before it ended.

let world: World;
let chart: string;
let before: readonly string[];

beforeAll(async () => {
  world = await enterWorld('release');
  chart = await chartWithRun();
  before = await inventory(world.shared.api);
});

afterAll(() => leaveWorld(world));

const kubectl = (...args: readonly string[]) => world.tools.kubectl([...args, `--namespace=${world.home}`]);
const installRun = (name: string, timeout: string) =>
  world.tools.helm(['install', name, chart, `--namespace=${world.home}`, '--wait', `--timeout=${timeout}`]);

describe('the kinds alone', () => {
  it('keep Helm waiting for a run that no operator looks at, until its timeout', async () => {
    await installKinds(world);
    const error = await failureOf(installRun('unserved', '10s'));
    expect(error).toMatch(/InProgress|deadline|timed out/i);
    await world.tools.helm(['uninstall', 'unserved', `--namespace=${world.home}`, '--wait', '--timeout=30s']);
  });
});

describe('the operator', () => {
  it('is installed by Helm, with a Temporal of its own to try things out, and passes its own test', async () => {
    await installOperator(world, 'temporal.devServer.enabled=true');
    const report = await world.tools.helm(['test', 'aiworkflow', `--namespace=${world.system}`, '--timeout=90s']);
    expect(report).toMatch(/Phase:\s+Succeeded/);
    await apply(world, aConnection('own', `temporal-frontend.${world.system}:7233`));
    await kubectl('wait', 'temporalconnection/own', '--for=condition=Ready', '--timeout=30s');
  });

  it('holds Helm for the twenty seconds that a run needs, where it is ready once it has succeeded', async () => {
    await apply(world, ...(await aTestPool('clock', { min: 1, max: 1 })));
    await kubectl('wait', 'worker/clock', '--for=condition=Ready', '--timeout=60s');
    const began = Date.now();
    await installRun('served', '120s');
    const tookMs = Date.now() - began;
    const phase = await kubectl('get', 'aiworkflow', 'served', '--output=jsonpath={.status.phase}');
    expect(phase).toBe('Succeeded');
    expect(tookMs).toBeGreaterThanOrEqual(20_000);
    expect(tookMs).toBeLessThan(40_000);
    await world.tools.helm(['uninstall', 'served', `--namespace=${world.home}`, '--wait', '--timeout=30s']);
  });

  it('is upgraded under a live run, which goes on and ends well', async () => {
    await apply(world, aRun('across', { type: 'TimerWorkflow', workerRef: { name: 'clock' }, args: [10] }));
    await kubectl('wait', 'aiworkflow/across', '--for=condition=Ready', '--timeout=30s');
    const podsBefore = await operatorPods();
    await installOperator(world, 'log.level=debug');
    // Helm has seen the new pods ready; the old ones may still be on their way out.
    await until('the old pods to be gone', 40_000, async () => {
      const podsAfter = await operatorPods();
      return podsAfter.length === 2 && !podsAfter.some((pod) => podsBefore.includes(pod));
    });
    expect((await finished(world, 'across')).status).toMatchObject({ phase: 'Succeeded', result: 'slept 10 s' });
  });

  it('leaves nothing behind when it is uninstalled with twenty live runs, which can then be deleted', async () => {
    await kubectl('delete', 'workers,aiworkflows', '--all', '--timeout=60s');
    const names = Array.from({ length: 20 }, (_, index) => `live-${index}`);
    await apply(world, ...names.map((name) => aRun(name, { type: 'WaitSignalWorkflow', taskQueue: 'nobody' })));
    await kubectl('wait', 'aiworkflows', '--all', '--for=condition=Ready', '--timeout=60s');
    expect(await kubectl('get', 'aiworkflows', '--output=jsonpath={.items[*].metadata.finalizers}')).toContain('run');

    await uninstall(world);
    const left = await kubectl('get', 'aiworkflows', '--output=jsonpath={.items[*].status.phase}');
    expect(left.split(' ')).toEqual(names.map(() => 'Running'));
    await kubectl('delete', 'aiworkflows,temporalconnections', '--all', '--timeout=30s');
    await kubectl('delete', 'configmap', 'worker');
    let after: readonly string[] = [];
    await until('nothing to be left', 60_000, async () => {
      after = await inventory(world.shared.api);
      return after.join() === before.join();
    }).catch(() => undefined);
    expect(after).toEqual(before);
    const open = await world.shared.temporal([
      'workflow',
      'count',
      '--query',
      `WorkflowId STARTS_WITH "default/${world.home}/live-" AND ExecutionStatus = "Running"`,
    ]);
    expect(open).toContain('20');
  });
});

async function operatorPods(): Promise<string[]> {
  const selector = '--selector=app.kubernetes.io/name=aiworkflow-operator';
  const output = '--output=jsonpath={.items[*].metadata.name}';
  const names = await world.tools.kubectl(['get', 'pods', `--namespace=${world.system}`, selector, output]);
  return names.split(' ');
}

/** Makes, in the cluster's own folder, a chart with nothing but a run of twenty seconds, which is ready once it has succeeded. */
async function chartWithRun(): Promise<string> {
  const folder = await mkdtemp(join(world.shared.folder, 'chart-'));
  await mkdir(join(folder, 'templates'));
  await writeFile(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: run\nversion: 0.1.0\n');
  const workflow = { type: 'TimerWorkflow', taskQueue: 'clock', args: [20] };
  const run = aRun('{{ .Release.Name }}', workflow, { readyWhen: 'Succeeded' });
  await writeFile(join(folder, 'templates/run.yaml'), JSON.stringify(run));
  return folder;
}
