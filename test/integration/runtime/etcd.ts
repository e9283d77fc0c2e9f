import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { pkiFolder } from '../../cluster/pki.ts';

/** Has etcd forget all history before now. */
export async function compactEtcd(cluster: LocalCluster): Promise<void> {
  const { header } = (await ask(cluster, '/v3/maintenance/status', {})) as {
    readonly header: { readonly revision: string };
  };
  await ask(cluster, '/v3/kv/compaction', { revision: header.revision, physical: true });
}

async function ask({ folder, state }: LocalCluster, path: string, body: object): Promise<unknown> {
  const read = (file: string) => readFile(join(pkiFolder(folder), file));
  const [ca, cert, key] = await Promise.all([read('etcd-ca.crt'), read('etcd-client.crt'), read('etcd-client.key')]);
  const options = { ca, cert, key, method: 'POST', port: state.ports.etcd, host: '127.0.0.1', path };
  return new Promise((resolve, reject) => {
    const sent = request(options, (answer) => {
      const isGood = answer.statusCode === 200;
      text(answer).then((said) => (isGood ? resolve(JSON.parse(said)) : reject(new Error(said))), reject);
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
}
