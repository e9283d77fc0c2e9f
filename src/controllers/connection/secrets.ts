import type { KubeObject } from '../../api/resource.ts';
import { OperatorError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { secrets } from '../../kube/kinds.ts';
import type { Log } from '../../runtime/ports.ts';
import { Reflector } from '../../runtime/reflector.ts';
import { Store } from '../../runtime/store.ts';
import type { ReadSecret } from './observe.ts';

/** For the command that a refusal suggests. */
export interface Subject {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Reads a Secret by its name, each time anew: no value is kept. */
export function secretReader(kube: Pick<KubeClient, 'get'>, subject: Subject): ReadSecret {
  return async (namespace, name, signal) => {
    try {
      const { data = {} } = await kube.get(secrets, { namespace, name }, { signal });
      return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
    } catch (thrown) {
      throw secretError(thrown, { namespace, name }, subject);
    }
  };
}

function secretError(thrown: unknown, { namespace, name }: { namespace: string; name: string }, subject: Subject) {
  const reason = thrown instanceof OperatorError ? thrown.reason : undefined;
  if (reason === 'NotFound') {
    const message = `There is no Secret ${name} in namespace ${namespace}`;
    return new OperatorError('SecretNotFound', message, { retry: 'backoff', cause: thrown });
  }
  if (reason !== 'KubernetesForbidden') return thrown;
  const message = `The operator may not read Secret ${name}; whoever may: kubectl create rolebinding aiworkflow-secret-reader --namespace ${namespace} --clusterrole aiworkflow-secret-reader --serviceaccount ${subject.namespace}:${subject.serviceAccount}`;
  return new OperatorError('SecretForbidden', message, { retry: 'backoff', cause: thrown });
}

interface Watched {
  readonly reflector: { stop(): Promise<void> };
  readonly keys: Set<string>;
}

/** Watches the Secrets that connections use, each by its name and only that something has changed. */
export class SecretWatches {
  private readonly kube: Pick<KubeClient, 'source'>;
  private readonly onChange: (key: string) => void;
  private readonly log: Log;
  private readonly watched = new Map<string, Watched>();

  constructor(options: { kube: Pick<KubeClient, 'source'>; onChange: (key: string) => void; log: Log }) {
    this.kube = options.kube;
    this.onChange = options.onChange;
    this.log = options.log;
  }

  /** From now on the connection `key` uses these Secrets and no others. */
  set(key: string, namespace: string, names: readonly string[]): void {
    const wanted = new Set(names.map((name) => `${namespace}/${name}`));
    for (const [secret, { keys, reflector }] of this.watched) {
      if (wanted.has(secret) || !keys.delete(key) || keys.size > 0) continue;
      this.watched.delete(secret);
      void reflector.stop();
    }
    for (const name of names) this.watch(`${namespace}/${name}`, { namespace, name }).add(key);
  }

  async stop(): Promise<void> {
    const all = [...this.watched.values()];
    this.watched.clear();
    await Promise.all(all.map(({ reflector }) => reflector.stop()));
  }

  private watch(secret: string, { namespace, name }: { namespace: string; name: string }): Set<string> {
    const known = this.watched.get(secret);
    if (known) return known.keys;
    const keys = new Set<string>();
    const store = new Store<KubeObject>();
    store.onChange(() => {
      for (const key of keys) this.onChange(key);
    });
    const source = this.kube.source(secrets, { namespace, fieldSelector: `metadata.name=${name}` });
    // Values never come to rest in memory: the version is all that is needed.
    const project = ({ metadata: { uid, resourceVersion } }: KubeObject) => ({
      metadata: { namespace, name, uid, resourceVersion },
    });
    const reflector = new Reflector({ source, store, log: this.log, project });
    reflector.start();
    this.watched.set(secret, { reflector, keys });
    return keys;
  }
}
