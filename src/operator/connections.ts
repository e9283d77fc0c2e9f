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
import { Departures } from './departures.ts';
import { hostOf } from './host.ts';
import type { TermWorld } from './term.ts';

/** What connections are made into. */
export interface ConnectionParts {
  readonly directory: ConnectionDirectory;
  readonly pool: ClientPool;
  /** Whether a run that must be ended when its resource goes was started through the connection of that key. */
  readonly isUsed: (key: string) => boolean;
  /** Told of a connection that is gone for good. */
  readonly onForgotten: (key: string) => void;
}

/** The controller of both kinds of connection, with all that feeds it. Its keys are those of the directory. */
export function connectionsPart(world: TermWorld, parts: ConnectionParts) {
  const { caches, log } = world;
  const watches = new SecretWatches({ kube: world.kube, log, onChange: (key) => controller.enqueue(key, 'user') });
  const departures = new Departures(parts, watches);
  const controller = connectionController(world, parts, { watches, departures });
  const onConnection = ({ before, after }: Change<Connection>) => {
    const connection = after ?? before;
    if (!connection) return;
    const key = keyOfConnection(connection);
    if (!after) {
      departures.leave(key);
    } else if (
      before?.metadata.generation !== after.metadata.generation ||
      before?.metadata.uid !== after.metadata.uid
    ) {
      departures.arrive(key, after);
      controller.enqueue(key, 'user');
    }
  };
  /** Enters all connections there are, and has each looked at. */
  const begin = () => {
    const all = [...caches.connections.all(), ...caches.clusterConnections.all()];
    for (const connection of all) onConnection({ key: '', after: connection });
    return all.map(keyOfConnection);
  };
  return { controller, watches, onConnection, begin, onRun: () => departures.check() };
}

interface Housekeeping {
  readonly watches: SecretWatches;
  readonly departures: Departures;
}

function connectionController(
  world: TermWorld,
  { directory, pool }: ConnectionParts,
  { watches, departures }: Housekeeping,
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
      if (!findConnection(world, key)) departures.leave(key);
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
