import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A request on its way to the API server. */
export interface Passing {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** A way to the API server on which chosen requests never arrive. */
export interface ApiProxy {
  /** Makes a kubeconfig that leads through here, with the same credentials. Returns its file. */
  leadThrough(kubeconfig: string): Promise<string>;
  /** From now on these requests stay here: neither sent on nor answered. Returns those that were held so far. */
  hold(isMeant: (passing: Passing) => boolean): readonly Passing[];
  close(): Promise<void>;
}

interface Kubeconfig {
  clusters: [{ cluster: { server: string; 'certificate-authority-data'?: string } }];
}

/** Opens a proxy that speaks plain HTTP on loopback, so that no certificate is needed for it. */
export async function startApiProxy(): Promise<ApiProxy> {
  const held: Passing[] = [];
  let isMeant: (passing: Passing) => boolean = () => false;
  let upstream: { readonly server: string; readonly agent: Agent } | undefined;
  const server = createServer((incoming, response) => void pass(incoming, response).catch(() => response.destroy()));
  const pass = async (incoming: IncomingMessage, response: ServerResponse) => {
    const { method = 'GET', url = '/' } = incoming;
    const body = await buffer(incoming);
    const passing = { method, path: url, body: body.toString() };
    if (isMeant(passing)) return void held.push(passing);
    if (upstream) forward(incoming, body, response, upstream);
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    leadThrough: async (kubeconfig) => {
      const config = JSON.parse(await readFile(kubeconfig, 'utf8')) as Kubeconfig;
      const [{ cluster }] = config.clusters;
      const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64');
      upstream = { server: cluster.server, agent: new Agent({ keepAlive: true, ca }) };
      const file = `${kubeconfig}.through-${port}`;
      // The library takes plain HTTP only from somebody who says that he knows.
      const plain = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
      const clusters = [{ name: 'local', cluster: plain }];
      await writeFile(file, JSON.stringify({ ...config, clusters }), { mode: 0o600 });
      return file;
    },
    hold: (which) => {
      isMeant = which;
      return held;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      upstream?.agent.destroy();
      await closed;
    },
  };
}

function forward(
  { method, url = '/', headers: { host: _, ...headers } }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  { server, agent }: { readonly server: string; readonly agent: Agent },
): void {
  const onward = request(new URL(url, server), { method, headers, agent });
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  onward.end(body);
}
