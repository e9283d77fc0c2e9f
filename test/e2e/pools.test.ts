import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { repository } from '../cluster/places.ts';
import { until } from '../cluster/poll.ts';
import { recordPool } from '../demo/pool.ts';
import { claimsOfPool, claimsOfRun } from '../demo/verdict.ts';
import { apply, aRun, aTestPool, enterWorld, finished, installKinds, installOperator, leaveWorld } from './world.ts';
import type { World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await enterWorld('pools');
  await installKinds(world);
  await installOperator(world);
});

afterAll(() => leaveWorld(world));

const kubectl = (...args: readonly string[]) => world.tools.kubectl([...args, `--namespace=${world.home}`]);

describe('the example', () => {
  it('wakes its pool on the GPU node, gets its result, and lets the pool sleep again by SIGTERM', async () => {
    const manifest = (name: string) => join(repository, 'examples/python-inference', name);
    await kubectl('apply', `--filename=${manifest('pool.yaml')}`);
    await kubectl('wait', 'worker/gpu-pool', '--for=condition=Ready', '--timeout=60s');
    const pool = recordPool(world.tools, { namespace: world.home, worker: 'gpu-pool' }, () => undefined);
    try {
      await until('the pool to be seen', 30_000, () => pool.replicas.length > 0);
      await kubectl('apply', `--filename=${manifest('workflow.yaml')}`);
      const pod = await until('the worker pod to run', 60_000, () => pool.pods.find(({ isReady }) => isReady));
      const log = kubectl('logs', '--follow', pod.name);
      const run = await finished(world, 'inference');
      await until('the pool to sleep', 90_000, () => pool.replicas.at(-1) === 0 && pool.pods.at(-1)?.end);

      expect(claimsOfRun(run).filter(({ holds }) => !holds)).toEqual([]);
      expect(claimsOfPool(pool).filter(({ holds }) => !holds)).toEqual([]);
      expect(pool.pods).toMatchObject([{ node: 'node1', gpus: '1', end: { exitCode: 0, reason: 'Completed' } }]);
      expect(await log).toMatch(/SIGTERM: no new tasks[^]*Stopped by SIGTERM/);
    } finally {
      pool.stop();
    }
  });
});

describe('a worker pod that is deleted in the middle of an activity', () => {
  it('costs the run an attempt, and the next pod gives its result', async () => {
    await apply(world, ...(await aTestPool('slow', { max: 1, scaleDownDelay: '10s' })));
    await apply(world, aRun('interrupted', { type: 'SleepWorkflow', workerRef: { name: 'slow' }, args: [8] }));
    const id = `default/${world.home}/interrupted`;
    await until('the activity to be running', 60_000, async () => (await firstActivity(id))?.state.endsWith('STARTED'));
    const [before] = await podsOf('slow');
    // As when its node is taken away: no time to finish.
    await kubectl('delete', 'pod', before ?? '', '--grace-period=1', '--wait=false');

    const { status } = await finished(world, 'interrupted');
    expect(status).toMatchObject({ phase: 'Succeeded', result: 'attempt 2' });
    expect(await podsOf('slow')).not.toContain(before);
  });
});

describe("the operator's own ServiceAccount", () => {
  it('wrote all of this, and was refused nothing', async () => {
    const user = `system:serviceaccount:${world.system}:aiworkflow`;
    const events = (await world.shared.auditEvents()).filter(({ user: { username } }) => username === user);
    const written = new Set(
      events.map(({ objectRef }) => [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/')),
    );
    expect([...written]).toEqual(
      expect.arrayContaining(['aiworkflows/status', 'deployments', 'leases', 'workers/status', 'poddisruptionbudgets']),
    );
    const refused = events.filter(({ responseStatus }) => [401, 403].includes(responseStatus?.code ?? 0));
    expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
    const selector = '--selector=app.kubernetes.io/name=aiworkflow-operator';
    const log = await world.tools.kubectl(['logs', `--namespace=${world.system}`, selector, '--tail=-1']);
    expect(log).toContain('started');
    expect(log).not.toMatch(/forbidden/i);
  });
});

async function podsOf(worker: string): Promise<string[]> {
  const names = await kubectl(
    ...['get', 'pods', `--selector=aiworkflow.dev/worker=${worker}`],
    '--output=jsonpath={.items[*].metadata.name}',
  );
  return names.split(' ').filter(Boolean);
}

async function firstActivity(workflowID: string): Promise<{ readonly state: string } | undefined> {
  const text = await world.shared.temporal(['workflow', 'describe', '--workflow-id', workflowID, '--output', 'json']);
  const { pendingActivities } = JSON.parse(text) as { readonly pendingActivities?: readonly { state: string }[] };
  return pendingActivities?.[0];
}
