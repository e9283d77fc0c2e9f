import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../../../src/api/resource.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { aConnection } from '../../../builders/connection.ts';
import { PoolScene } from '../../../builders/poolserver.ts';
import { aWorker, NOW_MS } from '../../../builders/worker.ts';

const MINUTE_MS = 60_000;
const spec = { connectionRef: { name: 'temporal' } };
const withImage = (image: string) => ({ template: { spec: { containers: [{ name: 'worker', image }] } } });
const refusal = (reason: OperatorError['reason'], retry: OperatorError['retry']) =>
  new OperatorError(reason, 'Could not write it: no', { retry });

/** A pool for which `waiting` tasks wait. */
const aScene = (waiting = 0) => new PoolScene(aWorker({ spec }), { connection: aConnection(), waiting });

/** Gives the Worker another image; returns which one the Deployment has after a pass. */
async function imageAfterEdit(scene: PoolScene): Promise<string> {
  scene.worker = { ...scene.worker, spec: aWorker({ spec: { ...spec, ...withImage('worker:2') } }).spec };
  await scene.pass();
  return JSON.stringify(scene.server.deployment(scene.worker)?.spec.template.spec);
}

describe('a pool', () => {
  it('gets a Deployment and a budget, and is looked at again', async () => {
    const scene = aScene(2);
    expect(await scene.pass()).toMatchObject({ retry: { afterMs: 2_000 } });
    expect(scene.server.deployment(scene.worker)?.spec.replicas).toBe(2);
    expect(scene.server.budget(scene.worker)?.spec).toMatchObject({ maxUnavailable: 1 });
  });

  it.each<[string, string, OperatorError['reason']]>([
    ['is too large to be created', 'create deployments', 'TooLarge'],
    ['may not be scaled', 'patch deployments', 'KubernetesRejected'],
    ['is too large to be updated', 'apply deployments', 'TooLarge'],
  ])('whose Deployment %s is looked at again all the same', async (_, what, reason) => {
    const scene = aScene(what.startsWith('patch') ? 2 : 0);
    if (!what.startsWith('create')) await scene.pass();
    scene.server.refuse(what, refusal(reason, 'never'));
    if (what.startsWith('apply'))
      scene.worker = { ...scene.worker, spec: aWorker({ spec: { ...spec, ...withImage('worker:2') } }).spec };
    if (what.startsWith('patch')) scene.worker = { ...scene.worker, spec: aWorker({ spec, scaling: { min: 5 } }).spec };
    const { retry, error } = await scene.pass();
    expect([retry, error?.reason]).toEqual([{ afterMs: 30_000 }, reason]);
    expect(scene.condition('Stalled')).toMatchObject({ status: 'True', reason });
  });

  it('is looked at again when its status is refused', async () => {
    const scene = aScene();
    const refused = scene.pass({ writeStatus: () => Promise.reject(refusal('KubernetesRejected', 'never')) });
    expect((await refused).retry).toEqual({ afterMs: 30_000 });
  });

  it('whose template cannot be updated still scales, and says so', async () => {
    const scene = aScene();
    await scene.pass();
    scene.server.refuse('apply deployments', refusal('KubernetesForbidden', 'backoff'));
    await imageAfterEdit(scene);
    expect(scene.condition('Ready')).toMatchObject({ status: 'False', reason: 'KubernetesForbidden' });
    expect(scene.condition('ScalingActive')).toMatchObject({ status: 'True' });
  });
});

describe('a Deployment of ours that the watch does not show', () => {
  it('for its label was taken off gets it back, keeps its size, and is followed again', async () => {
    const scene = aScene(3);
    await scene.pass();
    const { metadata, ...rest } = scene.server.deployment(scene.worker)!;
    const bare = { metadata: { ...metadata, labels: {} }, ...rest };
    scene.server.put('deployments', 'team-a/gpu-pool', { ...bare, spec: { ...rest.spec, replicas: 2 } } as KubeObject);
    await scene.pass();
    expect(scene.server.deployment(scene.worker)).toMatchObject({
      metadata: { uid: metadata.uid, labels: { 'aiworkflow.dev/worker': 'gpu-pool' } },
      spec: { replicas: 2 },
    });
    expect(scene.worker.status.desiredReplicas).toBe(2);
    await scene.pass();
    expect(scene.server.deployment(scene.worker)?.spec.replicas).toBe(3);
  });

  it('for it is a little behind is waited for, and nothing is said of it', async () => {
    const scene = aScene(3);
    await scene.pass();
    const { status } = scene.worker;
    scene.isWatchBehind = true;
    expect((await scene.pass()).retry).toBe('conflict');
    expect([scene.worker.status, scene.applied.length]).toEqual([status, 2]);
  });
});

describe('a budget that the API server refuses', () => {
  const forbidden = refusal('KubernetesForbidden', 'backoff');

  async function aSceneWithout(): Promise<PoolScene> {
    const scene = aScene(1);
    scene.server.refuse('create poddisruptionbudgets', forbidden);
    await scene.pass();
    return scene;
  }

  it('is said to nobody but the log', async () => {
    const scene = aScene(1);
    scene.server.refuse('create poddisruptionbudgets', forbidden);
    expect((await scene.pass()).error).toBe(forbidden);
    expect(scene.condition('ScalingActive')).toMatchObject({ status: 'True' });
    expect(scene.condition('Ready')).toMatchObject({
      reason: 'Progressing',
      message: 'The Deployment was just created',
    });
    expect(scene.condition('Stalled')).toBeUndefined();
  });

  it('does not keep the template from being updated', async () => {
    const scene = await aSceneWithout();
    scene.world.nowMs += 11 * MINUTE_MS;
    expect(await imageAfterEdit(scene)).toContain('worker:2');
  });

  it('is tried again, but not in every pass: that would slow down the scaling', async () => {
    const scene = await aSceneWithout();
    scene.world.nowMs += 2_000;
    expect(await scene.pass()).toMatchObject({ retry: { afterMs: 2_000 } });
    scene.server.refuse('create poddisruptionbudgets', undefined);
    scene.world.nowMs += 10 * MINUTE_MS;
    await scene.pass();
    expect(scene.server.budget(scene.worker)).toBeDefined();
  });
});

describe('the budget of a pool', () => {
  const budgetOf = (ownerUid: string): KubeObject => {
    const owner = { apiVersion: 'aiworkflow.dev/v1alpha1', kind: 'Worker', name: 'gpu-pool', controller: true };
    const metadata = { name: 'gpu-pool', namespace: 'team-a', uid: `budget-of-${ownerUid}`, resourceVersion: '1' };
    return { metadata: { ...metadata, ownerReferences: [{ ...owner, uid: ownerUid }] } };
  };
  const key = 'team-a/gpu-pool';

  it('comes when that of an earlier Worker of that name is gone', async () => {
    const scene = aScene();
    scene.server.put('poddisruptionbudgets', key, budgetOf('w-0'));
    await scene.pass();
    scene.server.put('poddisruptionbudgets', key, undefined);
    await scene.pass();
    expect(scene.server.budget(scene.worker)?.metadata.ownerReferences?.[0]?.uid).toBe('w-1');
  });

  it('comes back within ten minutes when somebody deletes it', async () => {
    const scene = aScene();
    await scene.pass();
    scene.server.put('poddisruptionbudgets', key, undefined);
    scene.world.nowMs += 10 * MINUTE_MS;
    await scene.pass();
    expect(scene.server.budget(scene.worker)).toBeDefined();
  });

  it('of somebody else stays, and is not fought', async () => {
    const scene = aScene();
    const theirs: KubeObject = { metadata: { name: 'gpu-pool', namespace: 'team-a', uid: 'x', resourceVersion: '1' } };
    scene.server.put('poddisruptionbudgets', key, theirs);
    const { error } = await scene.pass();
    expect([error, scene.server.budget(scene.worker), NOW_MS]).toEqual([undefined, theirs, scene.world.nowMs]);
    expect(scene.applied.map(({ type }) => type)).toEqual(['createDeployment']);
  });
});
