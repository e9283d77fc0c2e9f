import { createSecureContext } from 'node:tls';
import { Connection } from '@temporalio/client';
import { OperatorError } from '../errors.ts';

/** Where a Temporal is and what to show it; credentials in the clear, never logged. PEM where bytes are asked for. */
export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
  /** Absent: no TLS, also with an API key. */
  readonly tls?:
    | {
        readonly serverName?: string | undefined;
        readonly ca?: Uint8Array | undefined;
        readonly cert?: Uint8Array | undefined;
        readonly key?: Uint8Array | undefined;
      }
    | undefined;
  readonly apiKey?: string | undefined;
}

/** Temporal's gRPC service, one method a call. */
export type Service = Connection['workflowService'];

/**
 * The largest answer that is taken, in bytes: more than one event, one run or
 * one row of a list can have under Temporal's own limits, and little enough to
 * hold in memory several times over. grpc-js takes no more than 4 MiB unless
 * told so, and Temporal's library says it in words that grpc-js does not know.
 */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** A Temporal that comes back, on another address perhaps, is found within two seconds; one that is silent, noticed within twenty. */
const channelArgs = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  'grpc.keepalive_time_ms': 15_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // Else grpc-js would share one socket between two connections to the same address.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
};

/** One gRPC connection and the count of the calls on it, so that it can be replaced without dropping one. */
export class Link {
  private readonly connection: Connection;
  private inFlight = 0;
  private isRetired = false;

  /** Connects with the first call. Throws SecretInvalid where the credentials cannot be used at all. */
  constructor(target: TemporalTarget) {
    this.connection = open(target);
  }

  /** Runs one call, until `deadline` (milliseconds since 1970) or until `signal` is aborted. */
  async run<T>(scope: { deadline: number; signal: AbortSignal }, call: (service: Service) => Promise<T>): Promise<T> {
    const { connection } = this;
    this.inFlight += 1;
    try {
      return await connection.withDeadline(scope.deadline, () =>
        connection.withAbortSignal(scope.signal, () => call(connection.workflowService)),
      );
    } finally {
      this.inFlight -= 1;
      this.closeIfDone();
    }
  }

  /** Closes the connection once the calls on it are done. */
  retire(): void {
    this.isRetired = true;
    this.closeIfDone();
  }

  private closeIfDone(): void {
    if (this.isRetired && this.inFlight === 0) void this.connection.close();
  }
}

function open({ address, tls, apiKey }: TemporalTarget): Connection {
  // The library would quote the key in its error.
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw invalid('the API key holds characters that gRPC cannot send');
  const options = { address, channelArgs, interceptors: [], ...(apiKey !== undefined && { apiKey }) };
  if (!tls) return Connection.lazy({ ...options, tls: false });
  const { serverName, ca, cert, key } = tls;
  checkTls({ ca, cert, key });
  return Connection.lazy({
    ...options,
    tls: {
      ...(serverName !== undefined && { serverNameOverride: serverName }),
      ...(ca && { serverRootCACertificate: ca }),
      ...(cert && key && { clientCertPair: { crt: cert, key } }),
    },
  });
}

/** grpc-js would only find out with the first call, and then in a way that looks like a server that is away. */
function checkTls({ ca, cert, key }: NonNullable<TemporalTarget['tls']>): void {
  if (!cert !== !key) throw invalid('a client certificate and its key come together');
  const pem = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes);
  try {
    createSecureContext({ ca: pem(ca), cert: pem(cert), key: pem(key) });
  } catch (cause) {
    const words =
      cause instanceof Error && 'reason' in cause && typeof cause.reason === 'string' ? cause.reason : 'unreadable';
    throw invalid(`the TLS material cannot be used (${words})`);
  }
}

const invalid = (message: string) =>
  new OperatorError('SecretInvalid', `Could not connect to Temporal: ${message}`, { retry: 'backoff' });
