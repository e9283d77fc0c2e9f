import type { Connection } from '../../api/connection.ts';
import type { Reason } from '../../api/reasons.ts';
import type { WorkerSpec } from '../../api/worker.ts';
import { variablesOf } from './containers.ts';

/** How the pods reach Temporal: Secrets by name, all of the pods' own namespace. */
export interface PodConnection {
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: { readonly name: string; readonly key: string } | undefined;
  /** Undefined: without TLS. */
  readonly tls?:
    | {
        readonly serverName?: string | undefined;
        readonly ca?: { readonly name: string; readonly key: string } | undefined;
        /** A Secret of type kubernetes.io/tls. */
        readonly clientCert?: { readonly name: string } | undefined;
      }
    | undefined;
}

/** Why something cannot be done, for a condition. */
export interface Objection {
  readonly reason: Reason;
  readonly message: string;
}

/** Whether an answer is an objection. */
export function isObjection(answer: object): answer is Objection {
  return 'reason' in answer && 'message' in answer;
}

/**
 * How the pods of a Worker reach the Temporal of its connection. Pods can
 * mount Secrets of their own namespace only, so of a ClusterTemporalConnection
 * they get none: what it has, `credentials` or the template's own environment
 * must bring.
 */
export function podConnection(spec: WorkerSpec, connection: Connection): PodConnection | Objection {
  const missing = isShared(connection) ? whatIsMissing(spec, connection.spec) : undefined;
  if (missing) return { reason: 'SecretNotFound', message: missing };
  const { address, namespace, tls } = connection.spec;
  const own = secretsOf(isShared(connection) ? {} : connection.spec);
  const brought = secretsOf(spec.credentials ?? {});
  const where = { address, namespace, apiKey: brought.apiKey ?? own.apiKey };
  if (!usesTls(spec, connection, where)) return where;
  const clientCert = brought.clientCert ?? own.clientCert;
  return { ...where, tls: { serverName: tls?.serverName, ca: own.ca, clientCert } };
}

/** As the SDKs and the operator's own client decide it: an API key must not travel in the clear. */
function usesTls({ template }: WorkerSpec, { spec }: Connection, { apiKey }: Pick<PodConnection, 'apiKey'>): boolean {
  return spec.tls?.enabled ?? (apiKey !== undefined || variablesOf(template.spec).has('TEMPORAL_API_KEY'));
}

type Secrets = Pick<Connection['spec'], 'apiKeySecretRef' | 'tls'> & NonNullable<WorkerSpec['credentials']>;

function secretsOf({ apiKeySecretRef, clientCertSecretRef, tls }: Partial<Secrets>) {
  return {
    apiKey: apiKeySecretRef,
    clientCert: clientCertSecretRef ?? tls?.clientCertSecretRef,
    ca: tls?.caSecretRef,
  };
}

/** A Secret that a shared connection may have, and what a Worker can bring in its place. */
interface Need {
  readonly what: string;
  readonly isNeeded: (spec: Connection['spec']) => boolean;
  readonly isBrought: (spec: WorkerSpec) => boolean;
  readonly variables: readonly string[];
  readonly instead: string;
}

const needs: readonly Need[] = [
  {
    what: 'API key',
    isNeeded: ({ apiKeySecretRef }) => apiKeySecretRef !== undefined,
    isBrought: ({ credentials }) => credentials?.apiKeySecretRef !== undefined,
    variables: ['TEMPORAL_API_KEY'],
    instead: 'set spec.credentials.apiKeySecretRef',
  },
  {
    what: 'client certificate',
    isNeeded: ({ tls }) => tls?.clientCertSecretRef !== undefined,
    isBrought: ({ credentials }) => credentials?.clientCertSecretRef !== undefined,
    variables: ['TEMPORAL_TLS_CLIENT_CERT_PATH', 'TEMPORAL_TLS_CLIENT_CERT_DATA'],
    instead: 'set spec.credentials.clientCertSecretRef',
  },
  {
    what: 'CA',
    isNeeded: ({ tls }) => tls?.caSecretRef !== undefined,
    isBrought: () => false,
    variables: ['TEMPORAL_TLS_SERVER_CA_CERT_PATH', 'TEMPORAL_TLS_SERVER_CA_CERT_DATA'],
    instead: 'set TEMPORAL_TLS_SERVER_CA_CERT_PATH or TEMPORAL_TLS_SERVER_CA_CERT_DATA in the worker container',
  },
];

function whatIsMissing(spec: WorkerSpec, connection: Connection['spec']): string | undefined {
  const given = variablesOf(spec.template.spec);
  const missing = needs.find(
    ({ isNeeded, isBrought, variables }) =>
      isNeeded(connection) && !isBrought(spec) && !variables.some((name) => given.has(name)),
  );
  if (!missing) return undefined;
  return `spec.connectionRef: the connection has its ${missing.what} in a Secret of another namespace, which pods cannot use; ${missing.instead}`;
}

const isShared = ({ metadata }: Connection) => metadata.namespace === undefined;
