import { durationMs } from '../../api/duration.ts';
import type { WorkerSpec } from '../../api/worker.ts';
import { variablesOf, withContainer } from './containers.ts';
import type { PodConnection } from './credentials.ts';
import { asObjects, type Loose } from './loose.ts';

/** With this the operator sees an idle pod within 5 s; a pool in which every second counts sets 1. */
const HEARTBEAT_SECONDS = 2;
/** The longest grace that worker kits take. */
const MAX_GRACE_SECONDS = 7 * 24 * 3600;
const FILES = '/var/run/aiworkflow/temporal';
const CA_VOLUME = 'aiworkflow-temporal-ca';
const CLIENT_CERT_VOLUME = 'aiworkflow-temporal-client';

/** How long the pods may go on with what they work on, in seconds. */
export function graceSeconds({ shutdownGracePeriod }: WorkerSpec): number {
  return Math.min(MAX_GRACE_SECONDS, durationMs(shutdownGracePeriod) / 1000);
}

/** The pod spec with what its worker must know, where the user has not said it. */
export function withEnvironment(podSpec: Loose, spec: WorkerSpec, given: PodConnection): Loose {
  const connection = withoutGiven(given, variablesOf(podSpec));
  const files = filesOf(connection);
  const changed = withContainer(podSpec, (container) => ({
    ...container,
    env: merged([...contract(spec), ...temporal(connection)], asObjects(container['env'])),
    ...added(
      'volumeMounts',
      container,
      files.map(({ volume, folder }) => ({ name: volume, mountPath: folder, readOnly: true })),
    ),
  }));
  return { ...changed, ...added('volumes', podSpec, files.map(volumeOf)) };
}

const caVariables = ['TEMPORAL_TLS_SERVER_CA_CERT_PATH', 'TEMPORAL_TLS_SERVER_CA_CERT_DATA'];
const clientVariables = [
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
  'TEMPORAL_TLS_CLIENT_CERT_DATA',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
  'TEMPORAL_TLS_CLIENT_KEY_DATA',
];

/** The connection without the certificates that the user gives: an SDK refuses to have one by path and one by value. */
function withoutGiven(connection: PodConnection, given: ReadonlySet<unknown>): PodConnection {
  const { tls, ...rest } = connection;
  if (!tls) return connection;
  const { ca, clientCert, serverName } = tls;
  const isGiven = (variables: readonly string[]) => variables.some((name) => given.has(name));
  return {
    ...rest,
    tls: {
      serverName,
      ca: isGiven(caVariables) ? undefined : ca,
      clientCert: isGiven(clientVariables) ? undefined : clientCert,
    },
  };
}

type Variable = Loose & { readonly name: string };

/** Ours come first, so that the user's may refer to them; a name that the user gives is the user's, and stands once. */
function merged(ours: readonly Variable[], theirs: readonly Loose[]): Loose[] {
  const given = new Map(theirs.map((variable) => [variable['name'], variable]));
  return [...ours.filter(({ name }) => !given.has(name)), ...given.values()];
}

function contract(spec: WorkerSpec): Variable[] {
  return [
    { name: 'TEMPORAL_TASK_QUEUE', value: spec.taskQueue },
    { name: 'AIWORKFLOW_IDENTITY', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    { name: 'AIWORKFLOW_SLOTS', value: String(spec.scaling.tasksPerReplica) },
    { name: 'AIWORKFLOW_HEARTBEAT_SECONDS', value: String(HEARTBEAT_SECONDS) },
    { name: 'AIWORKFLOW_GRACE_SECONDS', value: String(graceSeconds(spec)) },
  ];
}

/** The standard environment of Temporal's SDKs. */
function temporal({ address, namespace, apiKey, tls }: PodConnection): Variable[] {
  return [
    { name: 'TEMPORAL_ADDRESS', value: address },
    { name: 'TEMPORAL_NAMESPACE', value: namespace },
    ...(apiKey
      ? [{ name: 'TEMPORAL_API_KEY', valueFrom: { secretKeyRef: { name: apiKey.name, key: apiKey.key } } }]
      : []),
    // Always said: with an API key the SDKs would turn TLS on by themselves.
    { name: 'TEMPORAL_TLS', value: String(tls !== undefined) },
    ...(tls?.serverName === undefined ? [] : [{ name: 'TEMPORAL_TLS_SERVER_NAME', value: tls.serverName }]),
    ...(tls?.ca ? [{ name: 'TEMPORAL_TLS_SERVER_CA_CERT_PATH', value: `${FILES}/ca/ca.crt` }] : []),
    ...(tls?.clientCert
      ? [
          { name: 'TEMPORAL_TLS_CLIENT_CERT_PATH', value: `${FILES}/client/tls.crt` },
          { name: 'TEMPORAL_TLS_CLIENT_KEY_PATH', value: `${FILES}/client/tls.key` },
        ]
      : []),
  ];
}

interface Files {
  readonly volume: string;
  readonly folder: string;
  readonly secret: string;
  /** The one key to mount, under the name `ca.crt`; all of them unless given. */
  readonly caKey?: string;
}

function filesOf({ tls }: PodConnection): Files[] {
  return [
    ...(tls?.ca ? [{ volume: CA_VOLUME, folder: `${FILES}/ca`, secret: tls.ca.name, caKey: tls.ca.key }] : []),
    ...(tls?.clientCert
      ? [{ volume: CLIENT_CERT_VOLUME, folder: `${FILES}/client`, secret: tls.clientCert.name }]
      : []),
  ];
}

function volumeOf({ volume, secret, caKey }: Files): Loose {
  const items = caKey === undefined ? {} : { items: [{ key: caKey, path: 'ca.crt' }] };
  return { name: volume, secret: { secretName: secret, ...items } };
}

function added(field: string, to: Loose, items: readonly Loose[]): Loose {
  return items.length === 0 ? {} : { [field]: [...asObjects(to[field]), ...items] };
}
