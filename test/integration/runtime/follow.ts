import { KubeConfig } from '@kubernetes/client-node';
import type { KubeClient } from '../../../src/kube/client.ts';
import { Credentials } from '../../../src/kube/credentials.ts';
import { HttpClient } from '../../../src/kube/http.ts';
import { configMaps } from '../../../src/kube/kinds.ts';
import { Transport } from '../../../src/kube/transport.ts';
import type { ConfigMap } from '../../../src/kube/types.ts';
import type { Log } from '../../../src/runtime/ports.ts';
import { Reflector, type ReflectorTiming } from '../../../src/runtime/reflector.ts';
import { Store } from '../../../src/runtime/store.ts';

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** A client whose calls all go to that address, without credentials of its own. */
export function clientOf(url: string): KubeClient {
  return new HttpClient(new Transport(new Credentials(() => configOf(url))));
}

function configOf(url: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u' });
  return config;
}

/** A store that follows the ConfigMaps of a namespace, with what happened on the way. */
export interface Following {
  readonly store: Store<ConfigMap>;
  /** What the store's listeners were told, taken together. */
  readonly heard: ReadonlyMap<string, ConfigMap>;
  /** How often each thing happened: list, watch, error, stall. */
  readonly happened: Readonly<Record<'list' | 'watch' | 'error' | 'stall', number>>;
  readonly value: (name: string) => string | undefined;
  stop(): Promise<void>;
}

/** Begins to follow; returns after the first list. What the cluster puts into every namespace is left out. */
export async function follow(
  client: KubeClient,
  namespace: string,
  timing: Partial<ReflectorTiming> = {},
): Promise<Following> {
  const store = new Store<ConfigMap>();
  const heard = new Map<string, ConfigMap>();
  const happened = { list: 0, watch: 0, error: 0, stall: 0 };
  store.onChange(({ key, after }) => void (after ? heard.set(key, after) : heard.delete(key)));
  const reflector = new Reflector<ConfigMap>({
    ...{ source: client.source(configMaps, { namespace, labelSelector: 'test' }), store, log: silent, timing },
    project: ({ metadata, data }) => ({
      metadata: { name: metadata.name, namespace, uid: metadata.uid, resourceVersion: metadata.resourceVersion },
      ...(data && { data }),
    }),
    onEvent: (_, event) => (happened[event] += 1),
  });
  reflector.start();
  await reflector.synced();
  const value = (name: string) => store.get(`${namespace}/${name}`)?.data?.['value'];
  return { store, heard, happened, value, stop: () => reflector.stop() };
}

/** ConfigMaps of one namespace, written past every injury. */
export class Boxes {
  private readonly client: KubeClient;
  private readonly namespace: string;

  constructor(client: KubeClient, namespace: string) {
    this.client = client;
    this.namespace = namespace;
  }

  async put(name: string, value: string): Promise<void> {
    const metadata = { name, namespace: this.namespace, labels: { test: 'true' } };
    const options = { fieldManager: 'test', force: true };
    await this.client.applyServerSide(configMaps, { metadata, data: { value } }, options);
  }

  async delete(name: string): Promise<void> {
    await this.client.delete(configMaps, { name, namespace: this.namespace });
  }

  /** What the server has: versions by key. */
  async versions(): Promise<ReadonlyMap<string, string>> {
    const { items } = await this.client.list(configMaps, { namespace: this.namespace, labelSelector: 'test' });
    return versionsOf(items);
  }
}

/** Versions by key. */
export function versionsOf(objects: Iterable<ConfigMap>): ReadonlyMap<string, string> {
  const pairs = [...objects].map(
    ({ metadata }) => [metadata.name, `${metadata.uid} ${metadata.resourceVersion}`] as const,
  );
  return new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}
