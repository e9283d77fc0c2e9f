import { createPrivateKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate with its key, both PEM. */
export interface Certificate {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says; by default one that was issued an hour ago for a day. */
export interface CertificateOptions {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** The authority; by default the certificate is its own. */
  readonly issuer?: Certificate;
  /** A server's address, `127.0.0.1`. */
  readonly address?: string;
}

const HOUR_MS = 3_600_000;

/** Issues a certificate, without openssl and so within a millisecond. Whoever has no issuer is an authority. */
export function aCertificate(name: string, options: CertificateOptions = {}): Certificate {
  const { notBefore = new Date(Date.now() - HOUR_MS), notAfter = new Date(Date.now() + 24 * HOUR_MS) } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const body = sequence(
    tagged(0xa0, integer(Uint8Array.of(2))),
    integer(Uint8Array.of(1, ...randomBytes(8))),
    algorithm,
    nameOf(options.issuer?.name ?? name),
    sequence(time(notBefore), time(notAfter)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensionsOf(options))),
  );
  const signer = options.issuer ? createPrivateKey(options.issuer.key) : privateKey;
  return { name, key, cert: pem(sequence(body, algorithm, bits(signature(body, signer)))) };
}

const signature = (body: Uint8Array, key: KeyObject) => sign('sha256', body, key);

function extensionsOf({ issuer, address }: CertificateOptions): Uint8Array[] {
  const constraints = sequence(...(issuer ? [] : [tagged(0x01, Uint8Array.of(0xff))]));
  const basic = sequence(oid('551d13'), tagged(0x01, Uint8Array.of(0xff)), tagged(0x04, constraints));
  if (address === undefined) return [basic];
  const ip = tagged(0x87, Uint8Array.from(address.split('.').map(Number)));
  return [basic, sequence(oid('551d11'), tagged(0x04, sequence(ip)))];
}

function tagged(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), content]);
}

const sequence = (...contents: readonly Uint8Array[]) => tagged(0x30, ...contents);
const integer = (bytes: Uint8Array) => tagged(0x02, bytes);
const oid = (hex: string) => tagged(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Uint8Array) => tagged(0x03, Uint8Array.of(0), bytes);
const nameOf = (name: string) => sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(name)))));
const time = (date: Date) => tagged(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
/** ecdsa-with-SHA256. */
const algorithm = sequence(oid('2a8648ce3d040302'));

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
