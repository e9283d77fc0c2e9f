import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Connection } from '../../api/connection.ts';
import type { Reason } from '../../api/reasons.ts';
import { OperatorError } from '../../errors.ts';

/** The decoded values of a Secret. */
export type SecretValues = Readonly<Record<string, Uint8Array>>;

/** Where to connect and with what; credentials in the clear, never logged. */
export interface Target {
  readonly address: string;
  readonly namespace: string;
  readonly tls?: {
    readonly serverName?: string;
    readonly ca?: Uint8Array;
    readonly cert?: Uint8Array;
    readonly key?: Uint8Array;
  };
  readonly apiKey?: string;
}

/** All authorities of the world are some hundreds; a Secret has room for more than there is time to read. */
const MAX_BLOCKS = 1_000;

/** Names of the Secrets a connection needs, each once. */
export function secretNames({ tls, apiKeySecretRef }: Connection['spec']): string[] {
  const refs = [tls?.caSecretRef, tls?.clientCertSecretRef, apiKeySecretRef];
  return [...new Set(refs.flatMap((ref) => (ref ? [ref.name] : [])))];
}

/**
 * The target of a connection whose Secrets are `secrets`, by name.
 * Throws an OperatorError that names Secret and key where one is missing or unusable.
 */
export function targetOf(spec: Connection['spec'], secrets: ReadonlyMap<string, SecretValues>, now: Date): Target {
  const { address, namespace, apiKeySecretRef } = spec;
  const tls = tlsOf(spec, secrets, now);
  const apiKey =
    apiKeySecretRef && textOf(valueOf(secrets, apiKeySecretRef.name, apiKeySecretRef.key), apiKeySecretRef);
  return { address, namespace, ...(tls && { tls }), ...(apiKey !== undefined && { apiKey }) };
}

/** An API key must not travel in the clear: with one, TLS is on unless it is switched off in so many words. */
function tlsOf(spec: Connection['spec'], secrets: ReadonlyMap<string, SecretValues>, now: Date): Target['tls'] {
  const { tls } = spec;
  if (!(tls?.enabled ?? spec.apiKeySecretRef !== undefined)) return undefined;
  if (!tls) return {};
  const { serverName, caSecretRef, clientCertSecretRef } = tls;
  return {
    ...(serverName !== undefined && { serverName }),
    ...(caSecretRef && { ca: authorities(secrets, caSecretRef, now) }),
    ...(clientCertSecretRef && clientCert(secrets, clientCertSecretRef.name, now)),
  };
}

/** A pair that does not fit would look like a server that is away. */
function clientCert(secrets: ReadonlyMap<string, SecretValues>, name: string, now: Date) {
  const cert = valueOf(secrets, name, 'tls.crt');
  const leaf = unexpired(certificatesIn(cert).slice(0, 1), `Secret ${name}, key tls.crt`, now);
  const key = valueOf(secrets, name, 'tls.key');
  const parsed = parsePrivateKey(key);
  if (!parsed) throw problem('SecretInvalid', `Secret ${name}, key tls.key: this is not a PEM private key`);
  if (!leaf.checkPrivateKey(parsed)) {
    throw problem('SecretInvalid', `Secret ${name}, key tls.key: the private key is not that of the certificate`);
  }
  return { cert, key };
}

function valueOf(secrets: ReadonlyMap<string, SecretValues>, name: string, key: string): Uint8Array {
  const value = secrets.get(name)?.[key];
  if (value && value.length > 0) return value;
  throw problem('SecretNotFound', `Secret ${name} has no value under the key ${key}`);
}

/** One authority that is still good will do: while one follows another, both are in the bundle. */
function authorities(
  secrets: ReadonlyMap<string, SecretValues>,
  { name, key }: { readonly name: string; readonly key: string },
  now: Date,
): Uint8Array {
  const pem = valueOf(secrets, name, key);
  unexpired(certificatesIn(pem), `Secret ${name}, key ${key}`, now);
  return pem;
}

/** The certificate that is good for longest. Throws SecretInvalid where none is good any more. */
function unexpired(certificates: readonly X509Certificate[], where: string, now: Date): X509Certificate {
  const [last] = certificates.toSorted((one, other) => expiryMs(other) - expiryMs(one));
  if (!last) throw problem('SecretInvalid', `${where}: this is not a PEM certificate`);
  if (expiryMs(last) < now.getTime()) {
    throw problem('SecretInvalid', `${where}: the certificate expired on ${last.validTo}`);
  }
  return last;
}

const expiryMs = ({ validTo }: X509Certificate) => Date.parse(validTo);

/** In their order; without what stands between them or cannot be read. */
function certificatesIn(pem: Uint8Array): X509Certificate[] {
  const blocks = new TextDecoder().decode(pem).split(/(?=-----BEGIN )/, MAX_BLOCKS);
  return blocks.flatMap((block) => parseCertificate(block) ?? []);
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function parsePrivateKey(pem: Uint8Array): KeyObject | undefined {
  try {
    return createPrivateKey(Buffer.from(pem));
  } catch {
    return undefined;
  }
}

function textOf(value: Uint8Array, ref: { readonly name: string; readonly key: string }): string {
  const text = new TextDecoder().decode(value).trim();
  // A gRPC header cannot carry anything else, and the error of the library would quote the key.
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw problem(
    'SecretInvalid',
    `Secret ${ref.name}, key ${ref.key}: an API key is one line of visible ASCII characters`,
  );
}

const problem = (reason: Reason, message: string) => new OperatorError(reason, message, { retry: 'backoff' });
