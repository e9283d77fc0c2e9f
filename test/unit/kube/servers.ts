import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';

/** What was asked of the server. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** How one call is answered; what is not given is 200 and an empty object. */
export type Answer = (response: ServerResponse) => void;

/** An HTTP server whose every answer the test decides, in order. */
export class ScriptedServer {
  readonly asked: Asked[] = [];
  readonly answers: Answer[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A configuration that leads here; a new one each time, as from a file. */
  config(token = 'good'): KubeConfig {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'c', server: this.url, skipTLSVerify: true }, { name: 'u', token });
    return config;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { method = '', url = '', headers } = request;
    const { 'content-type': contentType, authorization } = headers;
    this.asked.push({ method, url, contentType, authorization, body: body === '' ? undefined : JSON.parse(body) });
    const answer = this.answers.shift() ?? answered(200, {});
    answer(response);
  }
}

/** A whole answer. */
export function answered(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** The beginning of an answer, after which the connection breaks. */
export const brokenOff: Answer = (response) => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"kind":', () => response.destroy());
};

/** No answer at all. */
export const silent: Answer = () => undefined;

/** A refusal as the API server words it. */
export function refusal(code: number, reason: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return answered(code, { kind: 'Status', status: 'Failure', reason, message: `it is ${reason}`, code }, headers);
}
