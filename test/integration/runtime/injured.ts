import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { Agent, createServer as createTlsServer, request, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { readFile } from 'node:fs/promises';

/** A key and its certificate, as PEM. */
export interface ServerIdentity {
  readonly key: string;
  readonly cert: string;
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { server: string; 'certificate-authority-data': string } }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

/**
 * A way to a real API server on which things go wrong. Whoever comes without
 * credentials of his own goes with those of the kubeconfig that was given.
 */
export class InjuredApiServer {
  /** Nothing passes any more, in neither direction, and nobody is told. What is open then stays dead. */
  isStalled = false;
  /** Every connection breaks at once. */
  isDown = false;
  /** How long every answer takes longer. */
  delayMs = 0;
  /** So many of the next calls are answered 429, with that Retry-After in seconds. */
  busy = { calls: 0, seconds: 1 };
  /** So many of the next answers break off after so many bytes. */
  broken = { answers: 0, bytes: 0 };
  /** So many of the next watches are told that their version is too old. */
  expired = 0;
  /** Every call that came, e.g. `GET /api/v1/…`. */
  readonly asked: string[] = [];
  private readonly server: Server | TlsServer;
  private readonly sockets = new Set<Socket>();
  private readonly upstream: { readonly url: string; readonly agent: Agent; readonly token: string | undefined };

  private constructor(config: Kubeconfig, identity?: ServerIdentity) {
    const { cluster } = config.clusters[0];
    const { user } = config.users[0];
    const decoded = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text, 'base64'));
    const tls = {
      ...{ ca: decoded(cluster['certificate-authority-data']), keepAlive: true },
      ...{ cert: decoded(user['client-certificate-data']), key: decoded(user['client-key-data']) },
    };
    this.upstream = { url: cluster.server, agent: new Agent(tls), token: user['token'] };
    const serve: RequestListener = (incoming, outgoing) => void this.serve(incoming, outgoing);
    this.server = identity ? createTlsServer({ ...identity }, serve) : createServer(serve);
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
      if (this.isDown) socket.destroy();
    });
  }

  /** Listens in front of the API server of that kubeconfig; with an identity by TLS. */
  static async start(kubeconfig: string, identity?: ServerIdentity): Promise<InjuredApiServer> {
    const started = new InjuredApiServer(JSON.parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig, identity);
    started.server.listen(0, '127.0.0.1');
    await once(started.server, 'listening');
    return started;
  }

  get url(): string {
    const scheme = this.server instanceof TlsServer ? 'https' : 'http';
    return `${scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection that is open. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Ends all injuries that last. */
  heal(): void {
    Object.assign(this, { isStalled: false, isDown: false, delayMs: 0, expired: 0 });
    this.busy.calls = 0;
    this.broken.answers = 0;
  }

  /** Shows another certificate from now on. */
  setIdentity(identity: ServerIdentity): void {
    if (this.server instanceof TlsServer) this.server.setSecureContext({ ...identity });
  }

  async stop(): Promise<void> {
    this.cut();
    this.upstream.agent.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming;
    this.asked.push(`${method} ${url}`);
    if (this.isStalled) return;
    if (this.isDown) {
      incoming.destroy();
      return;
    }
    if (this.refuses(url, outgoing)) return;
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    this.forward(incoming, outgoing);
  }

  private refuses(url: string, outgoing: ServerResponse): boolean {
    if (this.busy.calls > 0) {
      this.busy.calls -= 1;
      refuse(outgoing, { code: 429, reason: 'TooManyRequests' }, { 'retry-after': String(this.busy.seconds) });
      return true;
    }
    if (this.expired === 0 || !url.includes('watch=true')) return false;
    this.expired -= 1;
    refuse(outgoing, { code: 410, reason: 'Expired' });
    return true;
  }

  private forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { agent, token, url } = this.upstream;
    const { host: _, ...headers } = incoming.headers;
    const credentials = token !== undefined && { authorization: `Bearer ${token}` };
    const sent = request(new URL(incoming.url ?? '/', url), {
      method: incoming.method,
      agent,
      headers: { ...credentials, ...headers },
    });
    sent.on('error', () => outgoing.destroy());
    sent.on('response', (answer) => this.pass(answer, outgoing));
    outgoing.on('close', () => sent.destroy());
    incoming.pipe(sent);
  }

  private pass(answer: IncomingMessage, outgoing: ServerResponse): void {
    const { statusCode = 502, headers } = answer;
    let left = this.broken.answers > 0 ? this.broken.bytes : Infinity;
    if (this.broken.answers > 0) this.broken.answers -= 1;
    let isDead = this.isStalled;
    if (!isDead) outgoing.writeHead(statusCode, headers).flushHeaders();
    answer.on('data', (chunk: Buffer) => {
      isDead ||= this.isStalled;
      if (isDead) return;
      outgoing.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left < 0) setImmediate(() => outgoing.destroy());
    });
    answer.on('end', () => isDead || left < 0 || outgoing.end());
    answer.on('error', () => isDead || outgoing.destroy());
  }
}

function refuse(
  outgoing: ServerResponse,
  { code, reason }: { readonly code: number; readonly reason: string },
  headers: Readonly<Record<string, string>> = {},
): void {
  outgoing.writeHead(code, { 'content-type': 'application/json', ...headers });
  outgoing.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message: reason }));
}
