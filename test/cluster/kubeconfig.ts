import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { embedded } from './pki.ts';

/** Who a kubeconfig speaks for: the holder of a certificate of our PKI, or of a token. */
export type Credentials = { readonly certificate: string } | { readonly token: string };

/** The file of the kubeconfig of that name. */
export function kubeconfigFile(folder: string, name: string): string {
  return join(folder, 'kubeconfigs', name);
}

/** Writes a kubeconfig that stands alone (everything embedded), readable by its owner only, and returns its file. */
export async function writeKubeconfig(
  folder: string,
  name: string,
  { server, credentials, namespace = 'default' }: KubeconfigContent,
): Promise<string> {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster: { server, 'certificate-authority-data': await embedded(folder, 'ca.crt') } }],
    users: [{ name, user: await userOf(folder, credentials) }],
    contexts: [{ name: 'local', context: { cluster: 'local', user: name, namespace } }],
    'current-context': 'local',
  };
  const file = kubeconfigFile(folder, name);
  await mkdir(join(folder, 'kubeconfigs'), { recursive: true, mode: 0o700 });
  // JSON is YAML: kubectl, client-node and Go clients all read it.
  await writeFile(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return file;
}

/** What goes into a kubeconfig. */
export interface KubeconfigContent {
  readonly server: string;
  readonly credentials: Credentials;
  readonly namespace?: string;
}

async function userOf(folder: string, credentials: Credentials): Promise<object> {
  if ('token' in credentials) return { token: credentials.token };
  const [certificate, key] = await Promise.all([
    embedded(folder, `${credentials.certificate}.crt`),
    embedded(folder, `${credentials.certificate}.key`),
  ]);
  return { 'client-certificate-data': certificate, 'client-key-data': key };
}
