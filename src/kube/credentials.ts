import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';

/** Where the API server is and how to speak to it, for a while. */
export interface Access {
  readonly origin: string;
  /** Of every path; not empty behind some proxies. */
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

/** How old credentials may be before their files are looked at again. */
const FRESH_MS = 10_000;
/** Longest wait for credentials to be read: a plugin that hangs must not keep others from being tried later. */
const READ_MS = 60_000;
/** The least time between two reloads that refused calls ask for: a plugin may be run for each. */
const RELOAD_PAUSE_MS = 1_000;

/**
 * Access to the API server that follows its credentials: files are read again
 * every few seconds, the whole configuration when the server refuses us. One
 * pool of connections as long as the certificates stay the same.
 */
export class Credentials {
  private readonly load: () => KubeConfig;
  private config: KubeConfig | undefined;
  private access: Access | undefined;
  private refreshing: Promise<Access> | undefined;
  private fingerprint = '';
  private readAt = -Infinity;
  private reloadedAt = -Infinity;

  constructor(load: () => KubeConfig) {
    this.load = load;
  }

  /** Rejects only as long as there has never been any access. */
  async current(): Promise<Access> {
    if (this.access && performance.now() - this.readAt < FRESH_MS) return this.access;
    this.refreshing ??= this.refresh().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  /** Reads everything anew, after the server has refused `used`. Says whether it makes sense to try again. */
  async renew(used: Access): Promise<boolean> {
    if (used === this.access && performance.now() - this.reloadedAt >= RELOAD_PAUSE_MS) {
      this.reloadedAt = performance.now();
      this.config = undefined;
      this.readAt = -Infinity;
    }
    return (await this.current()) !== used;
  }

  /** Ends all connections at once. */
  async close(): Promise<void> {
    await this.access?.dispatcher.destroy();
  }

  private async refresh(): Promise<Access> {
    try {
      this.config ??= this.load();
      this.access = await inTime(this.read(this.config));
    } catch (thrown) {
      // A file that is just being replaced must not cost us credentials that still work.
      if (!this.access) throw thrown;
    }
    this.readAt = performance.now();
    return this.access;
  }

  private async read(config: KubeConfig): Promise<Access> {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error('The kubeconfig names no cluster');
    const { origin, pathname } = new URL(server);
    const headers = headersOf(options);
    const fingerprint = fingerprintOf(server, options);
    if (this.access && fingerprint === this.fingerprint) {
      return isDeepEqual(headers, this.access.headers) ? this.access : { ...this.access, headers };
    }
    const dispatcher = await dispatcherFor(config, options);
    // Calls in flight end in peace, on the old connections.
    void this.access?.dispatcher.close();
    this.fingerprint = fingerprint;
    return { origin, prefix: pathname.replace(/\/+$/, ''), headers, dispatcher };
  }
}

async function inTime<T>(reading: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('The credentials could not be read in time')), READ_MS);
  return Promise.race([reading, late.promise]).finally(() => clearTimeout(timer));
}

function isDeepEqual(a: Access['headers'], b: Access['headers']): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function headersOf({ headers, auth }: RequestOptions): Readonly<Record<string, string>> {
  const given = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value).trim()]);
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return { ...basic, ...Object.fromEntries(given) } as Readonly<Record<string, string>>;
}

function tlsOf({ ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }: RequestOptions) {
  const all = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function fingerprintOf(server: string, options: RequestOptions): string {
  return createHash('sha256')
    .update(JSON.stringify([server, tlsOf(options)]))
    .digest('hex');
}

async function dispatcherFor(config: KubeConfig, options: RequestOptions): Promise<Dispatcher> {
  if (config.getCurrentCluster()?.proxyUrl) return proxied(config);
  return new Agent({
    // A dead peer is noticed even by a watch that waits; scopes bound everything else.
    connect: { ...tlsOf(options), timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 },
    keepAliveTimeout: 60_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** client-node knows HTTP and SOCKS proxies; it hands its dispatcher to the context of a call. */
async function proxied(config: KubeConfig): Promise<Dispatcher> {
  let dispatcher: Dispatcher | undefined;
  const context = { setHeaderParam: () => undefined, setDispatcher: (made: Dispatcher) => (dispatcher = made) };
  await config.applySecurityAuthentication(
    context as unknown as Parameters<KubeConfig['applySecurityAuthentication']>[0],
  );
  if (!dispatcher) throw new Error('The kubeconfig names a proxy that cannot be used');
  return dispatcher;
}
