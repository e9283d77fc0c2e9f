import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Worker } from '../../../src/api/worker.ts';
import { Credentials } from '../../../src/kube/credentials.ts';
import { eventSink } from '../../../src/kube/events.ts';
import { HttpClient } from '../../../src/kube/http.ts';
import { customKind, deployments, namespaces, pods } from '../../../src/kube/kinds.ts';
import { leaseStore } from '../../../src/kube/lease.ts';
import { microTime } from '../../../src/kube/time.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { answered, brokenOff, refusal, ScriptedServer } from './servers.ts';

let server: ScriptedServer;
let client: HttpClient;

beforeEach(async () => {
  server = new ScriptedServer();
  await server.start();
  client = new HttpClient(new Transport(new Credentials(() => server.config())));
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

const workers = customKind(Worker);
const metadata = { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '7' };
const pod = { metadata, spec: {}, status: { phase: 'Running' as const } };
const calls = () => server.asked.map(({ method, url }) => `${method} ${url}`);

describe('the client', () => {
  it('addresses what it is asked for', async () => {
    server.answers.push(
      ...Array.from({ length: 5 }, () => answered(200, { metadata: { ...metadata, continue: 'more' } })),
    );
    await client.get(pods, { namespace: 'ns', name: 'a' });
    await client.get(namespaces, { namespace: 'ignored', name: 'ns' });
    await client.get(workers, { namespace: 'ns', name: 'a/../b' });
    await client.list(deployments, { namespace: 'ns', labelSelector: 'a=b,c', limit: 500, continue: 'x y' });
    await client.list(pods, { fieldSelector: 'metadata.name=a' });
    expect(calls()).toEqual([
      'GET /api/v1/namespaces/ns/pods/a',
      'GET /api/v1/namespaces/ns',
      'GET /apis/aiworkflow.dev/v1alpha1/namespaces/ns/workers/a%2F..%2Fb',
      'GET /apis/apps/v1/namespaces/ns/deployments?labelSelector=a%3Db%2Cc&limit=500&continue=x+y',
      'GET /api/v1/pods?fieldSelector=metadata.name%3Da',
    ]);
  });

  it('watches with bookmarks, within its selection', async () => {
    server.answers.push(answered(200, { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } }));
    const source = client.source(pods, { namespace: 'ns', labelSelector: 'a' });
    const options = { resourceVersion: '5', timeoutSeconds: 30, signal: new AbortController().signal };
    for await (const event of source.watch(options)) expect(event).toEqual({ type: 'BOOKMARK', resourceVersion: '9' });
    const [, query] = server.asked[0]!.url.split('?');
    expect(Object.fromEntries(new URLSearchParams(query))).toEqual({
      ...{ labelSelector: 'a', resourceVersion: '5', timeoutSeconds: '30', watch: 'true', allowWatchBookmarks: 'true' },
    });
  });

  it('finds nothing without an error, and deletes it likewise', async () => {
    server.answers.push(refusal(404, 'NotFound'), refusal(404, 'NotFound'));
    expect(await client.find(pods, metadata)).toBeUndefined();
    await client.delete(pods, metadata, { preconditions: { uid: 'u' } });
    expect(server.asked[1]).toMatchObject({
      method: 'DELETE',
      body: { propagationPolicy: 'Background', preconditions: { uid: 'u' } },
    });
  });

  it('replaces a status as a whole, nulls included, if the object is still the version that was read', async () => {
    await client.replaceStatus(pods, pod, { result: null, id: 9007199254740993n });
    expect(server.asked[0]).toMatchObject({
      ...{ method: 'PATCH', url: '/api/v1/namespaces/ns/pods/a/status', contentType: 'application/json-patch+json' },
      body: [
        { op: 'add', path: '/status', value: { result: null, id: JSON.parse('9007199254740993') as number } },
        { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      ],
    });
  });

  it('repeats a status write whose answer was lost: had it been done, the second is a conflict', async () => {
    server.answers.push(brokenOff, refusal(409, 'Conflict'));
    await expect(client.replaceStatus(pods, pod, {})).rejects.toMatchObject({ reason: 'Conflict', retry: 'conflict' });
    expect(server.asked).toHaveLength(2);
  });

  it('does not repeat a JSON patch that names no version, nor a creation', async () => {
    server.answers.push(brokenOff, brokenOff);
    await expect(client.patchJson(pods, metadata, [{ op: 'add', path: '/spec/list/-', value: 1 }])).rejects.toThrow();
    await expect(client.create(pods, { metadata })).rejects.toThrow();
    expect(server.asked).toHaveLength(2);
  });

  it('adds and removes a finalizer under the version, and only where there is something to do', async () => {
    const held = { ...pod, metadata: { ...metadata, finalizers: ['other', 'ours'] } };
    expect(await client.addFinalizer(pods, held, 'ours')).toBe(held);
    expect(await client.removeFinalizer(pods, pod, 'ours')).toBe(pod);
    await client.addFinalizer(pods, pod, 'ours');
    await client.removeFinalizer(pods, held, 'ours');
    const version = { op: 'replace', path: '/metadata/resourceVersion', value: '7' };
    expect(server.asked.map(({ body }) => body)).toEqual([
      [{ op: 'add', path: '/metadata/finalizers', value: ['ours'] }, version],
      [{ op: 'add', path: '/metadata/finalizers', value: ['other'] }, version],
    ]);
  });

  it('applies with its field manager, and merges', async () => {
    await client.applyServerSide(
      deployments,
      { metadata: { name: 'a', namespace: 'ns' } },
      { fieldManager: 'us', force: true },
    );
    await client.patchMerge(deployments, metadata, { spec: { replicas: 2 } }, { subresource: 'scale' });
    expect(server.asked).toMatchObject([
      {
        ...{ method: 'PATCH', url: '/apis/apps/v1/namespaces/ns/deployments/a?fieldManager=us&force=true' },
        ...{ contentType: 'application/apply-patch+yaml', body: { apiVersion: 'apps/v1', kind: 'Deployment' } },
      },
      { url: '/apis/apps/v1/namespaces/ns/deployments/a/scale', contentType: 'application/merge-patch+json' },
    ]);
  });

  it('writes nothing any more behind a fence that is down, nor behind one around it, and reads on', async () => {
    const [outer, inner] = [new AbortController(), new AbortController()];
    let isHeld = true;
    const fenced = client.fencedBy(outer.signal, () => isHeld).fencedBy(inner.signal);
    const lost = { reason: 'LeadershipLost' };
    isHeld = false;
    await expect(fenced.create(pods, { metadata })).rejects.toMatchObject(lost);
    isHeld = true;
    await fenced.create(pods, { metadata });
    outer.abort();
    await expect(fenced.replaceStatus(pods, pod, {})).rejects.toMatchObject(lost);
    await expect(fenced.delete(pods, metadata)).rejects.toMatchObject(lost);
    await fenced.get(pods, metadata);
    await client.create(pods, { metadata });
    expect(calls().map((call) => call.split(' ')[0])).toEqual(['POST', 'GET', 'POST']);
  });
});

describe('a Lease on the API server', () => {
  const record = {
    holder: 'me',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00Z',
    renewTime: '2026-01-01T00:00:00.5Z',
    transitions: 1,
  };
  const spec = { holderIdentity: 'you', leaseDurationSeconds: 15, leaseTransitions: 1 };
  const { signal } = new AbortController();
  const store = () => leaseStore(client, { namespace: 'ns', name: 'lease' });

  it('keeps the labels that others gave it, when it is renewed', async () => {
    server.answers.push(
      answered(200, { metadata: { ...metadata, labels: { app: 'x' } }, spec }),
      answered(200, { metadata, spec }),
    );
    const lease = store();
    expect(await lease.read(signal)).toMatchObject({ holder: 'you', resourceVersion: '7', acquireTime: '' });
    await lease.update({ ...record, resourceVersion: '7' }, signal);
    expect(server.asked[1]).toMatchObject({
      method: 'PUT',
      body: {
        metadata: { name: 'lease', resourceVersion: '7', labels: { app: 'x' } },
        spec: {
          holderIdentity: 'me',
          acquireTime: '2026-01-01T00:00:00.000000Z',
          renewTime: '2026-01-01T00:00:00.500000Z',
        },
      },
    });
  });

  it.each([
    ['somebody was faster', refusal(409, 'Conflict')],
    ['somebody has deleted it', refusal(404, 'NotFound')],
  ])('says that it was not written when %s', async (_, answer) => {
    server.answers.push(answer);
    expect(await store().update({ ...record, resourceVersion: '7' }, signal)).toBe(false);
  });

  it('throws when nobody knows', async () => {
    server.answers.push(refusal(403, 'Forbidden'));
    await expect(store().update({ ...record, resourceVersion: '7' }, signal)).rejects.toMatchObject({
      reason: 'KubernetesForbidden',
    });
  });
});

describe('an Event on the API server', () => {
  const about = (name: string) => ({
    regarding: { apiVersion: 'v1', kind: 'Pod', name, namespace: 'ns', uid: 'u' },
    ...({ type: 'Normal', reason: 'Started', action: 'Start', note: 'ä'.repeat(1_000) } as const),
  });
  const reporter = { reportingController: 'aiworkflow.dev/operator', reportingInstance: 'x'.repeat(300) };

  it('has a name that the server takes, and nothing that is too long', async () => {
    const { name } = await eventSink(client, reporter).create(about(`${'a'.repeat(229)}-b`), new Date(0));
    expect(name).toMatch(/^a{229}\.[0-9a-f]{16}$/);
    const { url, body } = server.asked[0]!;
    const { note, reportingInstance, eventTime } = body as Record<'note' | 'reportingInstance' | 'eventTime', string>;
    expect([url, Buffer.byteLength(note) <= 1_024, reportingInstance.length <= 128, eventTime]).toEqual([
      ...['/apis/events.k8s.io/v1/namespaces/ns/events', true, true, '1970-01-01T00:00:00.000000Z'],
    ]);
  });

  it('counts its repetitions', async () => {
    await eventSink(client, reporter).repeat('name', about('a'), { count: 3, lastObservedTime: new Date(1) });
    expect(server.asked[0]).toMatchObject({
      method: 'PATCH',
      body: { series: { count: 3, lastObservedTime: '1970-01-01T00:00:00.001000Z' } },
    });
  });
});

it.each([
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000Z'],
  ['2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123456Z'],
])('writes times with six digits of a second: %s', (time, micro) => {
  expect(microTime(time)).toBe(micro);
});
