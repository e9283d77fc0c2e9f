import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a page answers. */
export interface Page {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

/** Pages by path. */
export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

/** A check of health or readiness; the text says what is wrong. */
export type Check = () => string | undefined;

/** 200 when every check is content, else 503 and what is wrong, a line each. */
export function checkPage(checks: Readonly<Record<string, Check>>): Page {
  const problems = Object.entries(checks).flatMap(([name, check]) => {
    const problem = check();
    return problem === undefined ? [] : [`${name}: ${problem}`];
  });
  return problems.length === 0 ? { status: 200, body: 'ok\n' } : { status: 503, body: `${problems.join('\n')}\n` };
}

/** Serves a few pages by HTTP, to probes and to Prometheus. */
export class PageServer {
  readonly name: string;
  private readonly options: { readonly port: number; readonly address: string; readonly pages: Pages };
  private readonly server: Server;

  constructor(name: string, options: { readonly port: number; readonly address: string; readonly pages: Pages }) {
    this.name = name;
    this.options = options;
    this.server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8_192 }, (request, response) => {
      void this.answer(request, response);
    });
  }

  /** The port in use, also where 0 was asked for. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    const { port, address } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(port, address, resolve);
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Anybody may ask anything: what is no path finds no page.
    const [path = '/'] = (request.url ?? '/').split('?');
    const page = await this.pageOf(request.method, path);
    response.writeHead(page.status, { 'content-type': page.contentType ?? 'text/plain; charset=utf-8' });
    response.end(page.body);
  }

  private async pageOf(method: string | undefined, path: string): Promise<Page> {
    const { pages } = this.options;
    const make = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (!make || (method !== 'GET' && method !== 'HEAD')) return { status: 404, body: 'not found\n' };
    try {
      return await make();
    } catch {
      return { status: 500, body: 'failed\n' };
    }
  }
}
