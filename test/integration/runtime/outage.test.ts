import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubeClient } from '../../../src/kube/client.ts';
import { connectKube } from '../../../src/kube/connect.ts';
import { configMaps } from '../../../src/kube/kinds.ts';
import { Expired } from '../../../src/runtime/ports.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { launch } from '../../cluster/launch.ts';
import { until } from '../../cluster/poll.ts';
import { freshNamespace } from '../../cluster/shared.ts';
import { candidate, type Candidate } from './candidates.ts';
import { compactEtcd } from './etcd.ts';
import { Boxes, clientOf, follow, versionsOf, type Following } from './follow.ts';
import { InjuredApiServer } from './injured.ts';

/** A cluster of this file's own: its servers are killed. */
let own: LocalCluster;
let client: KubeClient;
let namespace: string;
let boxes: Boxes;
let following: Following;
let leader: Candidate | undefined;

beforeAll(async () => {
  own = await launch({ progress: () => undefined });
  client = connectKube({ kubeconfig: own.kubeconfig });
  namespace = await freshNamespace(own, 'outage');
  boxes = new Boxes(client, namespace);
}, 180_000);
afterEach(async () => {
  await leader?.stop();
  await following.stop();
});
afterAll(async () => {
  await client.close();
  await own.remove();
}, 60_000);

/** Waits until the store is what the server has. */
async function settled(): Promise<void> {
  const wanted = await boxes.versions();
  const isRight = () => JSON.stringify([...versionsOf(following.store.all())]) === JSON.stringify([...wanted]);
  await until('the store to be what the server has', 60_000, isRight).catch(() => undefined);
  expect(versionsOf(following.store.all())).toEqual(wanted);
  expect(versionsOf(following.heard.values())).toEqual(wanted);
}

describe('when servers die', () => {
  it('a reflector and a leader outlive the API server, killed and started again', async () => {
    following = await follow(client, namespace, { baseMs: 100, maxMs: 1_000 });
    leader = await candidate({ kubeconfig: own.kubeconfig, namespace }, 'a');
    await until('it to lead', 20_000, () => leader?.terms[0]?.isHeld());
    await boxes.put('gone', 'before');
    await boxes.put('kept', 'before');
    await settled();
    await own.kill('apiserver');
    await until('the term to end', 20_000, () => leader?.terms[0]?.signal.aborted);
    await own.startAgain('apiserver');
    await until('a write', 30_000, async () => (await boxes.delete('gone'), true));
    await boxes.put('kept', 'after');
    await boxes.put('new', 'after');
    await until('another term', 30_000, () => leader?.terms.at(-1)?.isHeld() && leader.terms.length >= 2);
    await leader.stop();
    leader = undefined;
    await settled();
    expect(following.value('kept')).toBe('after');
  });

  it('a reflector outlives etcd, killed and started again', async () => {
    following = await follow(client, namespace, { baseMs: 100, maxMs: 1_000 });
    await own.kill('etcd');
    await expect(boxes.put('kept', 'while etcd is away')).rejects.toMatchObject({ reason: 'KubernetesUnavailable' });
    await own.startAgain('etcd');
    await until('a write', 60_000, async () => (await boxes.put('kept', 'after etcd'), true));
    await settled();
    expect(following.value('kept')).toBe('after etcd');
  });

  it('a reflector lists anew when the history that it needs is compacted away', async () => {
    const server = await InjuredApiServer.start(own.kubeconfig);
    const injured = clientOf(server.url);
    following = await follow(injured, namespace, { baseMs: 100, maxMs: 1_000 });
    server.isDown = true;
    server.cut();
    await boxes.delete('kept');
    for (let times = 0; times < 5; times += 1) await boxes.put('new', `${times}`);
    await compactEtcd(own);
    // Its cache would still know what etcd has forgotten.
    await own.restart('apiserver', 'SIGKILL');
    const lists = following.happened.list;
    server.heal();
    await settled();
    expect(following.happened.list).toBe(lists + 1);
    await following.stop();
    await injured.close();
    await server.stop();
  });

  it('a list whose next page was compacted away is Expired, and never mistaken for its end', async () => {
    following = await follow(client, namespace);
    for (let index = 0; index < 4; index += 1) await boxes.put(`page-${index}`, 'x');
    const page = await client.list(configMaps, { namespace, limit: 1 });
    await boxes.put('new', 'compacted');
    await compactEtcd(own);
    await own.restart('apiserver', 'SIGKILL');
    const next = client.list(configMaps, { namespace, limit: 1, continue: page.continue });
    await expect(next).rejects.toBeInstanceOf(Expired);
  });
});
