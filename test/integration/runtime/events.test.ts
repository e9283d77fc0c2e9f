import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubeClient } from '../../../src/kube/client.ts';
import { connectKube } from '../../../src/kube/connect.ts';
import { eventSink } from '../../../src/kube/events.ts';
import { configMaps, events, namespaces } from '../../../src/kube/kinds.ts';
import { EventRecorder } from '../../../src/runtime/event-recorder.ts';
import type { EventRecord, Log } from '../../../src/runtime/ports.ts';
import { until } from '../../cluster/poll.ts';
import { cluster, freshNamespace } from '../../cluster/shared.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';

let shared: LocalCluster;
let client: KubeClient;
let warned: string[];
const log: Log = {
  debug() {},
  info() {},
  warn: (message) => warned.push(message),
  error: (message) => warned.push(message),
  child: () => log,
};

beforeAll(async () => {
  shared = await cluster();
  client = connectKube({ kubeconfig: shared.kubeconfig });
});
afterAll(() => client.close());

function recorder(): EventRecorder {
  warned = [];
  return new EventRecorder(
    eventSink(client, { reportingController: 'aiworkflow.dev/test', reportingInstance: 'test' }),
    log,
  );
}

const about = (namespace: string, note: string, uid = `uid-${namespace}`): EventRecord => ({
  regarding: { apiVersion: 'aiworkflow.dev/v1alpha1', kind: 'AIWorkflow', name: 'run', namespace, uid },
  ...{ type: 'Warning', reason: 'Failed', action: 'Finish', note },
});

interface Written {
  readonly note: string;
  readonly type: string;
  readonly reason: string;
  readonly series?: { readonly count: number };
}
const eventsIn = async (namespace: string) => (await client.list(events, { namespace })).items as unknown as Written[];

describe('Events on a real API server', () => {
  it('are created once and repeated as the count of a series, which people see', async () => {
    const namespace = await freshNamespace(shared, 'events');
    const one = recorder();
    for (let times = 0; times < 5; times += 1) one.record(about(namespace, 'the activity failed'));
    one.record(about(namespace, `ünï ${'ö'.repeat(2_000)}`));
    await one.stop();
    const written = await eventsIn(namespace);
    expect(written.map(({ series, reason, type }) => [reason, type, series?.count])).toEqual(
      expect.arrayContaining([
        ['Failed', 'Warning', 5],
        ['Failed', 'Warning', undefined],
      ]),
    );
    expect(written).toHaveLength(2);
    const described = await shared
      .kubectl(['events', '--namespace', namespace, '--for', 'aiworkflow/run'])
      .catch(() => '');
    const listed = await shared.kubectl(['get', 'events', '--namespace', namespace]);
    expect(described + listed).toContain('the activity failed');
    expect(warned).toEqual([]);
  });

  it('that are refused, as in a namespace that goes, harm neither others nor anybody else', async () => {
    const [going, staying] = [await freshNamespace(shared, 'events-going'), await freshNamespace(shared, 'events')];
    const held = { name: 'held', namespace: going, finalizers: ['test.aiworkflow.dev/hold'] };
    const anchor = await client.create(configMaps, { metadata: held });
    try {
      await client.delete(namespaces, { name: going });
      const probe = { metadata: { name: 'probe', namespace: going } };
      await until('it to refuse what is new', 20_000, () =>
        client.create(configMaps, probe).then(
          () => false,
          () => true,
        ),
      );
      const one = recorder();
      one.record(about(going, 'too late'));
      one.record(about(staying, 'in time'));
      await one.stop();
      expect((await eventsIn(staying)).map(({ note }) => note)).toEqual(['in time']);
      expect((await eventsIn(going)).filter(({ note }) => note === 'too late')).toEqual([]);
      expect(warned).toEqual([]);
    } finally {
      await client.removeFinalizer(
        configMaps,
        await client.get(configMaps, anchor.metadata),
        'test.aiworkflow.dev/hold',
      );
    }
    await until('the namespace to be gone', 60_000, async () => !(await client.find(namespaces, { name: going })));
  });

  it('about objects without a namespace go where the server takes them', async () => {
    const { regarding, ...words } = about('', `of no namespace, ${Math.random()}`);
    const one = recorder();
    const { namespace: _, ...cluster } = regarding;
    one.record({ ...words, regarding: { ...cluster, kind: 'ClusterTemporalConnection' } });
    await one.stop();
    const { items } = await client.list(events, { namespace: 'default' });
    const written = items.filter((event) => (event as unknown as Written).note === words.note);
    expect(written).toHaveLength(1);
    for (const { metadata } of written) await client.delete(events, metadata);
  });
});
