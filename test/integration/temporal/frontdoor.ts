import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Certificate } from '../../builders/certificate.ts';

/** One call that came in, and with what. */
export interface SeenCall {
  /** Name of the gRPC method. */
  readonly method: string;
  /** The API key shown. */
  readonly apiKey: string | undefined;
  /** Common name in the client's certificate. */
  readonly clientName: string | undefined;
  /** The connection it came on, numbered from 1. */
  readonly connection: number;
  /** The deadline that the caller set itself; undefined: none. */
  readonly timeoutMs: number | undefined;
}

/** A TLS endpoint before a plain Temporal, as a cloud has one: it looks at certificates and API keys. */
export interface FrontDoor {
  readonly address: string;
  /** Every call so far, refused ones included. */
  readonly calls: SeenCall[];
  /** API keys that are let in; `any` asks for none. */
  apiKeys: readonly string[] | 'any';
  /** Connections that are open. */
  connections(): number;
  /** Keeps calls that come from now on waiting until they are released. */
  hold(): () => void;
  /** Shows another certificate to new connections, and trusts another authority. */
  rotate(server: Certificate, clientAuthority?: Certificate): void;
  close(): Promise<void>;
}

/** What a door looks at. */
export interface FrontDoorOptions {
  readonly server: Certificate;
  /** Asks clients for a certificate that this authority has issued. */
  readonly clientAuthority?: Certificate;
  readonly apiKeys?: readonly string[];
}

const UNAUTHENTICATED = '16';

/** Opens a door to the Temporal at `backend` (host:port). */
export async function openFrontDoor(backend: string, options: FrontDoorOptions): Promise<FrontDoor> {
  const behind = http2.connect(`http://${backend}`);
  behind.on('error', () => undefined); // calls fail by themselves
  const sessions = new Map<http2.ServerHttp2Session, number>();
  let opened = 0;
  let gate: Promise<unknown> = Promise.resolve();
  const server = http2.createSecureServer({
    ...tlsOf(options.server, options.clientAuthority),
    ...(options.clientAuthority && { requestCert: true, rejectUnauthorized: true }),
  });
  server.on('session', (session) => {
    sessions.set(session, (opened += 1));
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const call = seen(headers, stream.session as http2.ServerHttp2Session | undefined, sessions);
    door.calls.push(call);
    const isIn = door.apiKeys === 'any' || door.apiKeys.includes(call.apiKey ?? '');
    if (isIn) void gate.then(() => forward(behind, stream, headers));
    else refuse(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const door: FrontDoor = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    apiKeys: options.apiKeys ?? 'any',
    connections: () => sessions.size,
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      gate = promise;
      return () => resolve(undefined);
    },
    rotate: (certificate, authority) => server.setSecureContext(tlsOf(certificate, authority)),
    close: async () => {
      for (const session of sessions.keys()) session.destroy();
      behind.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return door;
}

const tlsOf = ({ cert, key }: Certificate, authority: Certificate | undefined) => ({
  cert,
  key,
  ...(authority && { ca: authority.cert }),
});

function seen(
  headers: http2.IncomingHttpHeaders,
  session: http2.ServerHttp2Session | undefined,
  sessions: ReadonlyMap<http2.ServerHttp2Session, number>,
): SeenCall {
  const peer = (session?.socket as TLSSocket | undefined)?.getPeerCertificate();
  return {
    method: headers[':path']?.split('/').at(-1) ?? '',
    apiKey: headers.authorization?.replace(/^Bearer /, ''),
    clientName: peer && clientNameIn(peer),
    connection: (session && sessions.get(session)) ?? 0,
    timeoutMs: millisecondsIn(headers['grpc-timeout']),
  };
}

/** Without a certificate the subject is not there, whatever the types say. */
function clientNameIn({ subject }: Partial<PeerCertificate>): string | undefined {
  return subject && [subject.CN].flat().join();
}

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

function millisecondsIn(timeout: string | readonly string[] | undefined): number | undefined {
  const [, count, unit = ''] = /^(\d+)(\w)$/.exec(String(timeout)) ?? [];
  return count === undefined ? undefined : Number(count) * (units[unit] ?? 0);
}

/** As a gRPC server does: a status without any answer. */
function refuse(stream: http2.ServerHttp2Stream): void {
  const status = { 'grpc-status': UNAUTHENTICATED, 'grpc-message': 'Request unauthorized.' };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
}

function forward(
  behind: http2.ClientHttp2Session,
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
): void {
  if (stream.destroyed) return;
  const { authorization: _, ...rest } = headers;
  const onward = behind.request({ ...rest, ':scheme': 'http' });
  let trailers: http2.IncomingHttpHeaders = {};
  onward.on('error', () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  onward.on('trailers', (given: http2.IncomingHttpHeaders) => (trailers = given));
  onward.on('response', (answer) => {
    const isWhole = answer['grpc-status'] !== undefined;
    stream.respond(answer, isWhole ? { endStream: true } : { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    if (!isWhole) onward.pipe(stream);
  });
  stream.on('close', () => onward.close());
  stream.pipe(onward);
}
