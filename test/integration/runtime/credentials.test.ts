import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { KubeClient } from '../../../src/kube/client.ts';
import { connectKube } from '../../../src/kube/connect.ts';
import { Credentials } from '../../../src/kube/credentials.ts';
import { HttpClient } from '../../../src/kube/http.ts';
import { configMaps } from '../../../src/kube/kinds.ts';
import { loadKubeConfig } from '../../../src/kube/kubeconfig.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { makePki, pkiFolder } from '../../cluster/pki.ts';
import { until } from '../../cluster/poll.ts';
import { cluster, freshNamespace } from '../../cluster/shared.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { Boxes, follow, type Following } from './follow.ts';
import { InjuredApiServer } from './injured.ts';

let shared: LocalCluster;
let direct: KubeClient;
let folder: string;
let namespace: string;
let boxes: Boxes;
let client: KubeClient | undefined;
let following: Following | undefined;

beforeAll(async () => {
  shared = await cluster();
  direct = connectKube({ kubeconfig: shared.kubeconfig });
  folder = await mkdtemp(join(tmpdir(), 'rotated-'));
  namespace = await freshNamespace(shared, 'rotated');
  boxes = new Boxes(direct, namespace);
});
afterEach(async () => {
  await following?.stop();
  await client?.close();
});
afterAll(async () => {
  await direct.close();
  await rm(folder, { recursive: true });
});

const account = { name: 'reader', namespace: '' };

/** The ServiceAccount is another one from now on: all tokens of the one before are worth nothing. */
async function renewAccount(): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await shared.api.call(`${path}/${account.name}`, { method: 'DELETE' }).catch(() => undefined);
  await shared.api.call(path, { method: 'POST', body: { metadata: { name: account.name } } });
  return shared.tokenFor({ ...account, namespace });
}

describe('a client whose credentials change on disk', () => {
  it('goes on with the new token when the old one is refused, as a pod does whose ServiceAccount was made anew', async () => {
    const mount = join(folder, 'root/var/run/secrets/kubernetes.io/serviceaccount');
    await mkdir(mount, { recursive: true });
    const { port, hostname } = new URL(await serverOf());
    Object.assign(process.env, { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port });
    await writeFile(join(mount, 'ca.crt'), await readFile(join(pkiFolder(shared.folder), 'ca.crt')));
    const old = await renewAccount();
    await writeFile(join(mount, 'token'), old);
    await shared.kubectl([
      ...['create', 'rolebinding', 'reader', '--namespace', namespace, '--clusterrole', 'view'],
      ...['--serviceaccount', `${namespace}:${account.name}`],
    ]);
    client = new HttpClient(new Transport(new Credentials(() => loadKubeConfig('', join(folder, 'root')))));
    following = await follow(client, namespace, { baseMs: 100, maxMs: 500, watchSeconds: 1 });
    await boxes.put('box', 'with the old token');
    await until('it to be seen', 15_000, () => following?.value('box') === 'with the old token');

    const fresh = await renewAccount();
    await until('the old token to be refused', 60_000, () =>
      client!.list(configMaps, { namespace }).then(
        () => false,
        (error: unknown) => (error as { reason: string }).reason === 'KubernetesForbidden',
      ),
    );
    await boxes.put('box', 'unseen');
    await writeFile(join(mount, 'token'), fresh);
    await until('the new token to be used', 30_000, () => following?.value('box') === 'unseen');
    expect(following.happened.list).toBe(1);
  });

  it('trusts the new authority when the server has a certificate of it, and not before it is told', async () => {
    const [before, after] = await Promise.all(['before', 'after'].map(authority));
    const server = await InjuredApiServer.start(shared.kubeconfig, before!.server);
    const ca = join(folder, 'ca.crt');
    await writeFile(ca, before!.ca);
    const kubeconfig = join(folder, 'by-file');
    await writeFile(
      kubeconfig,
      JSON.stringify({
        clusters: [{ name: 'x', cluster: { server: server.url, 'certificate-authority': 'ca.crt' } }],
        users: [{ name: 'x', user: {} }],
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
        'current-context': 'x',
      }),
    );
    client = connectKube({ kubeconfig });
    following = await follow(client, namespace, { baseMs: 100, maxMs: 500 });

    server.setIdentity(after!.server);
    server.cut();
    await boxes.put('box', 'behind the new certificate');
    await until('it to distrust the server', 15_000, () => (following?.happened.error ?? 0) >= 3);
    expect(following.value('box')).not.toBe('behind the new certificate');
    await writeFile(ca, after!.ca);
    await until('it to trust the server again', 30_000, () => following?.value('box') === 'behind the new certificate');
    await following.stop();
    await server.stop();
  });
});

async function serverOf(): Promise<string> {
  const config = JSON.parse(await readFile(shared.kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { server: string } }];
  };
  return config.clusters[0].cluster.server;
}

/** An authority of its own, and a server's key and certificate by it. */
async function authority(name: string) {
  const home = join(folder, name);
  await makePki(home, [{ name: 'server', authority: 'ca', commonName: 'server', names: ['IP:127.0.0.1'] }]);
  const read = (file: string) => readFile(join(pkiFolder(home), file), 'utf8');
  return { ca: await read('ca.crt'), server: { key: await read('server.key'), cert: await read('server.crt') } };
}
