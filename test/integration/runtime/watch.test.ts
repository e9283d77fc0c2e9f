import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubeClient } from '../../../src/kube/client.ts';
import { connectKube } from '../../../src/kube/connect.ts';
import { until } from '../../cluster/poll.ts';
import { cluster, freshNamespace } from '../../cluster/shared.ts';
import { Boxes, clientOf, follow, versionsOf, type Following } from './follow.ts';
import { InjuredApiServer } from './injured.ts';

let server: InjuredApiServer;
let direct: KubeClient;
let injured: KubeClient;
let namespace: string;
let boxes: Boxes;
let followings: Following[] = [];

beforeAll(async () => {
  const shared = await cluster();
  namespace = await freshNamespace(shared, 'watch');
  server = await InjuredApiServer.start(shared.kubeconfig);
  direct = connectKube({ kubeconfig: shared.kubeconfig });
  injured = clientOf(server.url);
  boxes = new Boxes(direct, namespace);
});
afterEach(async () => {
  server.heal();
  await Promise.all(followings.map((following) => following.stop()));
  followings = [];
});
afterAll(async () => {
  await Promise.all([direct.close(), injured.close()]);
  await server.stop();
});

async function following(timing: Parameters<typeof follow>[2] = {}): Promise<Following> {
  const started = await follow(injured, namespace, { baseMs: 100, maxMs: 1_000, ...timing });
  followings.push(started);
  return started;
}

let count = 0;
/** A change that only a working watch, or a new list, brings. */
async function change(name = 'box'): Promise<string> {
  count += 1;
  await boxes.put(name, `value ${count}`);
  return `value ${count}`;
}

const seen = (where: Following, value: string, ms = 15_000) =>
  until(`${value} to be seen`, ms, () => where.value('box') === value);

describe('a reflector in front of a real API server', () => {
  it('resumes where it was when its watch is cut, without listing anew', async () => {
    const box = await following();
    await seen(box, await change());
    for (let cuts = 0; cuts < 3; cuts += 1) {
      server.cut();
      await seen(box, await change());
    }
    expect([box.happened.list, box.happened.error >= 3]).toEqual([1, true]);
  });

  it('sees what was deleted and made anew while the connection was away', async () => {
    const box = await following();
    await seen(box, await change());
    const before = box.store.get(`${namespace}/box`)?.metadata.uid;
    server.isDown = true;
    server.cut();
    await boxes.delete('box');
    const value = await change();
    await boxes.put('other', 'x');
    await boxes.delete('other');
    server.heal();
    await seen(box, value);
    expect(box.store.get(`${namespace}/box`)?.metadata.uid).not.toBe(before);
    expect(versionsOf(box.heard.values())).toEqual(await boxes.versions());
  });

  it('notices a connection over which nothing comes any more, though nobody closes it', async () => {
    const box = await following({ silenceMs: 3_000 });
    await seen(box, await change());
    server.isStalled = true;
    const value = await change();
    await until('the stall to be noticed', 15_000, () => box.happened.stall > 0);
    expect(box.value('box')).not.toBe(value);
    server.heal();
    await seen(box, value, 30_000);
  });

  it('lists anew when the server no longer has the history that it asks for', async () => {
    const box = await following();
    await seen(box, await change());
    server.expired = 1;
    server.cut();
    const value = await change();
    await until('a second list', 15_000, () => box.happened.list === 2);
    await seen(box, value);
    expect(versionsOf(box.store.all())).toEqual(await boxes.versions());
  });

  it('waits as the server asks when it is too busy to answer, also its watches', async () => {
    const box = await following();
    await seen(box, await change());
    server.busy = { calls: 2, seconds: 1 };
    const asked = server.asked.length;
    const startedAt = performance.now();
    server.cut();
    await seen(box, await change());
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(2_000);
    expect(server.asked.length - asked).toBeLessThanOrEqual(4);
  });

  it('lists page by page from a slow and busy server whose answers break off', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => boxes.put(`page-${index}`, 'x')));
    server.delayMs = 200;
    server.busy = { calls: 1, seconds: 1 };
    server.broken = { answers: 2, bytes: 100 };
    const asked = server.asked.length;
    const box = await following({ pageSize: 5 });
    expect(versionsOf(box.store.all())).toEqual(await boxes.versions());
    const pages = server.asked.slice(asked).filter((call) => call.includes('continue='));
    expect(pages.length).toBeGreaterThanOrEqual(2);
  });

  it('takes in no half of a line when a watch breaks off amid it', async () => {
    const box = await following();
    await seen(box, await change());
    server.broken = { answers: 1, bytes: 40 };
    server.cut();
    await seen(box, await change());
    expect(versionsOf(box.store.all())).toEqual(await boxes.versions());
  });

  it('is brought further by bookmarks while nothing of its own happens', async () => {
    const box = await following({ watchSeconds: 1 });
    await until('a few watches', 30_000, () => box.happened.watch >= 3);
    expect([box.happened.list, box.happened.error]).toEqual([1, 0]);
    await seen(box, await change());
  });

  it('leaves no connection behind when it stops', async () => {
    const box = await following();
    const asked = server.asked.length;
    await box.stop();
    await change();
    server.cut();
    await change();
    expect([server.asked.length, box.happened.error]).toEqual([asked, 0]);
  });
});
