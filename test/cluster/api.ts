import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { createInterface } from 'node:readline';

/** What every Kubernetes object has. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
  };
}

/** One line of a watch. */
export interface WatchEvent<Kind extends KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Kind;
}

/** The API server's refusal. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, line: string, body: string) {
    super(`${line}: ${status} ${messageIn(body)}`);
    this.status = status;
  }
}

/** One call; a body given as text is sent as it is. */
export interface ApiCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  /** Of the body; by default JSON, or a merge patch for PATCH. */
  readonly contentType?: string;
}

/** A plain client of one API server: no cache, no retries, so that a test sees what the server does. */
export interface Api {
  /** Fails with `ApiError` on any status of 400 and above. */
  call<Answer>(path: string, options?: ApiCall): Promise<Answer>;
  /** Yields events until the server or `signal` ends the watch. */
  watch<Kind extends KubeObject>(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent<Kind>>;
  close(): void;
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { server: string; 'certificate-authority-data': string } }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

/** A client with the credentials of a kubeconfig that this launcher wrote. */
export async function connectApi(kubeconfig: string): Promise<Api> {
  const config = JSON.parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
  const { user } = config.users[0];
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
  const decoded = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text, 'base64'));
  const agent = new Agent({
    keepAlive: true,
    ca: decoded(ca),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  });
  const headers = user['token'] === undefined ? {} : { authorization: `Bearer ${user['token']}` };
  const at = { server, agent, headers };
  return {
    call: async <Answer>(path: string, options: ApiCall = {}) =>
      JSON.parse(await callOnce(at, path, options)) as Answer,
    watch: (path, signal) => watchOnce(at, path, signal),
    close: () => agent.destroy(),
  };
}

interface Endpoint {
  readonly server: string;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
}

async function callOnce(at: Endpoint, path: string, { method = 'GET', body, contentType }: ApiCall): Promise<string> {
  const content = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { ...at.headers, ...(content !== undefined && describing(content, contentType ?? typeFor(method))) };
  const response = await send(at, path, { method, headers, timeout: 30_000 }, content);
  const text = await textOf(response);
  const status = response.statusCode ?? 0;
  if (status >= 400) throw new ApiError(status, `${method} ${path}`, text);
  // A few paths (readiness, logs) answer in plain text.
  return text.startsWith('{') ? text : JSON.stringify(text);
}

// Without a length Node sends the body of a DELETE unframed, and the server never sees it.
function describing(content: string, contentType: string): Record<string, string> {
  return { 'content-type': contentType, 'content-length': String(Buffer.byteLength(content)) };
}

function typeFor(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

async function* watchOnce<Kind extends KubeObject>(
  at: Endpoint,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<Kind>> {
  const response = await send(at, path, { headers: at.headers, signal });
  if (response.statusCode !== 200)
    throw new ApiError(response.statusCode ?? 0, `WATCH ${path}`, await textOf(response));
  for await (const line of createInterface({ input: response })) yield JSON.parse(line) as WatchEvent<Kind>;
}

function send(at: Endpoint, path: string, options: RequestOptions, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, at.server), { ...options, agent: at.agent }, resolve);
    sent.on('timeout', () => sent.destroy(new Error(`No answer to ${path} within ${options.timeout ?? '?'} ms`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function messageIn(body: string): string {
  try {
    return (JSON.parse(body) as { readonly message?: string }).message ?? body;
  } catch {
    return body.slice(0, 500);
  }
}
