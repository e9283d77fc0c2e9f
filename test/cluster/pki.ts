import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';

/** A certificate to be issued: whose it is and what it may be used for. */
export interface CertificateRequest {
  readonly name: string;
  readonly authority: 'ca' | 'front-proxy-ca' | 'etcd-ca';
  readonly commonName: string;
  /** A Kubernetes group, for client certificates. */
  readonly organization?: string;
  /** Addresses, as in `DNS:localhost` and `IP:127.0.0.1`, for servers. */
  readonly names?: readonly string[];
}

const validDays = '365';
// Keys belong to whoever started the cluster, to nobody else: openssl creates them with mode 0600.
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** The folder of a cluster's keys and certificates. */
export function pkiFolder(folder: string): string {
  return join(folder, 'pki');
}

/** Makes the three authorities, all certificates, and the key that signs ServiceAccount tokens. */
export async function makePki(folder: string, requests: readonly CertificateRequest[]): Promise<void> {
  const pki = pkiFolder(folder);
  await mkdir(pki, { recursive: true, mode: 0o700 });
  await Promise.all(['ca', 'front-proxy-ca', 'etcd-ca'].map((name) => makeAuthority(pki, name)));
  await Promise.all([...requests.map((request) => issue(pki, request)), makeSigningKey(pki)]);
}

async function makeAuthority(pki: string, name: string): Promise<void> {
  const extensions = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n';
  await openssl(pki, { name, subject: `CN=${name}`, extensions, signer: [] });
}

async function issue(pki: string, request: CertificateRequest): Promise<void> {
  const { name, authority, commonName, organization, names = [] } = request;
  const usage = names.length === 0 ? 'clientAuth' : 'serverAuth,clientAuth';
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature,keyEncipherment',
    `extendedKeyUsage=${usage}`,
    ...(names.length === 0 ? [] : [`subjectAltName=${names.join(',')}`]),
  ].join('\n');
  const subject = `${organization === undefined ? '' : `O=${organization}\n`}CN=${commonName}`;
  await openssl(pki, { name, subject, extensions, signer: ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`] });
}

interface X509 {
  readonly name: string;
  readonly subject: string;
  readonly extensions: string;
  readonly signer: readonly string[];
}

async function openssl(pki: string, { name, subject, extensions, signer }: X509): Promise<void> {
  const config = join(pki, `${name}.cnf`);
  const request = '[req]\nprompt=no\ndistinguished_name=subject\nx509_extensions=extensions\n';
  await writeFile(config, `${request}[subject]\n${subject}\n[extensions]\n${extensions}\n`);
  const output = ['-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', validDays];
  await run('openssl', ['req', '-x509', '-config', config, ...newKey, ...signer, ...output], { cwd: pki });
  await rm(config);
}

async function makeSigningKey(pki: string): Promise<void> {
  const key = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'sa.key'];
  await run('openssl', key, { cwd: pki });
  await run('openssl', ['pkey', '-in', 'sa.key', '-pubout', '-out', 'sa.pub'], { cwd: pki });
}

/** A file of the PKI, in base64 as kubeconfigs embed it. */
export async function embedded(folder: string, file: string): Promise<string> {
  return (await readFile(join(pkiFolder(folder), file))).toString('base64');
}
