import type { Connection } from '../api/connection.ts';
import type { ConnectionDirectory } from '../controllers/connection/directory.ts';
import { connectionReconciler } from '../controllers/connection/index.ts';
import { keyOfConnection } from '../controllers/connection/observe.ts';
import { secretReader, SecretWatches } from '../controllers/connection/secrets.ts';
import type { Controller } from '../runtime/controller.ts';
import type { Change } from '../runtime/store.ts';
import { reconcile } from '../runtime/reconcile.ts';
import type { ClientPool } from '../temporal/clients.ts';
import { clusterConnectionKind, namespacedConnectionKind } from './caches.ts';
import { controllerOf } from './controllers.ts';
import { hostOf } from './host.ts';
import type { TermWorld } from './term.ts';

/** What connections are made into. */
export interface ConnectionParts {
  readonly directory: ConnectionDirectory;
  readonly pool: ClientPool;
}

/** The controller of both kinds of connection, with all that feeds it. Its keys are those of the directory. */
export function connectionsPart(world: TermWorld, { directory, pool }: ConnectionParts) {
  const { caches, log } = world;
  const watches = new SecretWatches({ kube: world.kube, log, onChange: (key) => controller.enqueue(key, 'user') });
  const controller = connectionController(world, { directory, pool }, watches);
  const onConnection = ({ before, after }: Change<Connection>) => {
    const connection = after ?? before;
    if (!connection) return;
    const key = keyOfConnection(connection);
    if (!after) {
      forget({ directory, pool }, watches, key);
    } else if (
      before?.metadata.generation !== after.metadata.generation ||
      before?.metadata.uid !== after.metadata.uid
    ) {
      controller.enqueue(key, 'user');
    }
  };
  const all = () => [...caches.connections.all(), ...caches.clusterConnections.all()];
  return { controller, watches, onConnection, all };
}

/** Nobody can use the connection any more, and what it held is closed. */
function forget({ directory, pool }: ConnectionParts, watches: SecretWatches, key: string): void {
  watches.set(key, '', []);
  directory.delete(key);
  pool.drop(key);
}

function connectionController(
  world: TermWorld,
  { directory, pool }: ConnectionParts,
  watches: SecretWatches,
): Controller<Connection> {
  const { caches, kube, config } = world;
  const { podNamespace: namespace, serviceAccount } = config;
  const reconciler = connectionReconciler({
    ...{ pool, directory, operatorNamespace: namespace, now: () => new Date() },
    readSecret: secretReader(kube, { namespace, serviceAccount }),
    watchSecrets: (key, at, names) => watches.set(key, at, names),
  });
  const hosts = {
    namespaced: hostOf<Connection, never>(world, {
      kind: namespacedConnectionKind,
      observeWrite: (written) => caches.connections.observeWrite(written),
    }),
    cluster: hostOf<Connection, never>(world, {
      kind: clusterConnectionKind,
      observeWrite: (written) => caches.clusterConnections.observeWrite(written),
    }),
  };
  return controllerOf(world, 'connection', {
    find: (key: string) => findConnection(world, key),
    pass: async (connection, signal) => {
      const host = connection.metadata.namespace === undefined ? hosts.cluster : hosts.namespaced;
      const result = await reconcile(reconciler, connection, host, signal);
      const key = keyOfConnection(connection);
      // It was deleted meanwhile, and the pass has entered it again.
      if (!findConnection(world, key)) forget({ directory, pool }, watches, key);
      return result;
    },
  });
}

function findConnection({ caches }: TermWorld, key: string): Connection | undefined {
  const [kind, ...name] = key.split('/');
  return kind === 'TemporalConnection'
    ? caches.connections.get(name.join('/'))
    : caches.clusterConnections.get(name.join('/'));
}
