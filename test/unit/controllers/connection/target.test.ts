import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { secretNames, targetOf, type SecretValues } from '../../../../src/controllers/connection/target.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { aCertificate } from '../../../builders/certificate.ts';
import { aConnection } from '../../../builders/connection.ts';

const NOW = new Date('2026-01-01T12:00:00.000Z');
const valid = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2026-01-02T00:00:00Z') };
const ca = aCertificate('ca', valid);
const oldCa = aCertificate('old ca', { ...valid, notAfter: new Date('2026-01-01T11:59:59Z') });
const olderCa = aCertificate('older ca', { ...valid, notAfter: new Date('2026-01-01T11:00:00Z') });
const client = aCertificate('client', { ...valid, issuer: ca });
const expired = aCertificate('client', { ...valid, notAfter: new Date('2026-01-01T11:59:59Z'), issuer: ca });

const specOf = (spec: Record<string, unknown>) => aConnection({ spec }).spec;
const apiKeySecretRef = { name: 'cloud', key: 'key' };
const caSecretRef = { name: 'ca', key: 'ca.crt' };
const clientCertSecretRef = { name: 'client' };

const bytes = (values: Readonly<Record<string, string | Uint8Array>>): SecretValues =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));

/** The target, with its bytes as text. */
function target(spec: Record<string, unknown>, secrets: Readonly<Record<string, Parameters<typeof bytes>[0]>> = {}) {
  const read = new Map(Object.entries(secrets).map(([name, values]) => [name, bytes(values)]));
  const found = targetOf(specOf(spec), read, NOW);
  const text = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value);
  const tls = found.tls && Object.fromEntries(Object.entries(found.tls).map(([key, value]) => [key, text(value)]));
  return { ...found, ...(tls && { tls }) };
}

function refusal(...args: Parameters<typeof target>): { reason: string; message: string } {
  try {
    target(...args);
  } catch (error) {
    if (error instanceof OperatorError) return { reason: error.reason, message: error.message };
  }
  throw new Error('It was not refused');
}

const where = { address: 'temporal:7233', namespace: 'default' };

describe('the Secrets of a connection', () => {
  it.each([
    [{}, []],
    [{ apiKeySecretRef }, ['cloud']],
    [{ tls: { caSecretRef, clientCertSecretRef } }, ['ca', 'client']],
    [
      { tls: { caSecretRef: { name: 'client', key: 'ca.crt' }, clientCertSecretRef }, apiKeySecretRef },
      ['client', 'cloud'],
    ],
  ])('of %j are %j', (spec, names) => expect(secretNames(specOf(spec))).toEqual(names));
});

describe('a target', () => {
  it.each([
    ['without credentials is plain', {}, where],
    ['with TLS trusts the public authorities', { tls: {} }, { ...where, tls: {} }],
    ['may expect another name', { tls: { serverName: 'other' } }, { ...where, tls: { serverName: 'other' } }],
    ['with TLS switched off is plain', { tls: { enabled: false, caSecretRef } }, where],
  ])('%s', (_, spec, expected) => expect(target(spec, { ca: { 'ca.crt': ca.cert } })).toEqual(expected));

  it('with an API key has TLS, for a key must not travel in the clear', () => {
    const secrets = { cloud: { key: 'secret\n' } };
    expect(target({ apiKeySecretRef }, secrets)).toEqual({ ...where, tls: {}, apiKey: 'secret' });
    expect(target({ apiKeySecretRef, tls: { enabled: false } }, secrets)).toEqual({ ...where, apiKey: 'secret' });
  });

  it.each([
    ['an old one that has expired', `${oldCa.cert}${ca.cert}`],
    ['an old one after it, with words between them', `${ca.cert}\n# the old one\n${oldCa.cert}`],
    ['something that is none', `-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n${ca.cert}`],
  ])('trusts an authority that is good beside %s', (_, bundle) => {
    const found = target({ tls: { caSecretRef } }, { ca: { 'ca.crt': bundle } });
    expect(found).toEqual({ ...where, tls: { ca: bundle } });
  });

  it('with all of it has all of it', () => {
    const spec = { apiKeySecretRef, tls: { serverName: 'x', caSecretRef, clientCertSecretRef } };
    const secrets = {
      cloud: { key: 'secret' },
      ca: { 'ca.crt': ca.cert },
      client: { 'tls.crt': client.cert, 'tls.key': client.key },
    };
    expect(target(spec, secrets)).toEqual({
      ...where,
      tls: { serverName: 'x', ca: ca.cert, cert: client.cert, key: client.key },
      apiKey: 'secret',
    });
  });
});

describe('a Secret', () => {
  const pair = { 'tls.crt': client.cert, 'tls.key': client.key };
  const mtls = { tls: { clientCertSecretRef } };
  const notFound = (message: string) => ({ reason: 'SecretNotFound', message });
  const invalid = (message: string) => ({ reason: 'SecretInvalid', message });
  const noPem = 'this is not a PEM certificate';

  it.each([
    [
      'of a CA without the key',
      { tls: { caSecretRef } },
      { ca: { other: 'x' } },
      notFound('Secret ca has no value under the key ca.crt'),
    ],
    [
      'of a CA that is empty',
      { tls: { caSecretRef } },
      { ca: { 'ca.crt': '' } },
      notFound('Secret ca has no value under the key ca.crt'),
    ],
    [
      'of a CA that is none',
      { tls: { caSecretRef } },
      { ca: { 'ca.crt': 'secret' } },
      invalid(`Secret ca, key ca.crt: ${noPem}`),
    ],
    [
      'of CAs that have all expired',
      { tls: { caSecretRef } },
      { ca: { 'ca.crt': olderCa.cert + oldCa.cert } },
      invalid('Secret ca, key ca.crt: the certificate expired on Jan  1 11:59:59 2026 GMT'),
    ],
    [
      'whose certificate has expired, whatever comes after it,',
      mtls,
      { client: { 'tls.crt': expired.cert + ca.cert, 'tls.key': expired.key } },
      invalid('Secret client, key tls.crt: the certificate expired on Jan  1 11:59:59 2026 GMT'),
    ],
    [
      'without a certificate',
      mtls,
      { client: { 'tls.key': client.key } },
      notFound('Secret client has no value under the key tls.crt'),
    ],
    [
      'without a private key',
      mtls,
      { client: { 'tls.crt': client.cert } },
      notFound('Secret client has no value under the key tls.key'),
    ],
    [
      'whose certificate is none',
      mtls,
      { client: { ...pair, 'tls.crt': client.key } },
      invalid(`Secret client, key tls.crt: ${noPem}`),
    ],
    [
      'whose private key is none',
      mtls,
      { client: { ...pair, 'tls.key': client.cert } },
      invalid('Secret client, key tls.key: this is not a PEM private key'),
    ],
    [
      'whose private key is another one',
      mtls,
      { client: { ...pair, 'tls.key': ca.key } },
      invalid('Secret client, key tls.key: the private key is not that of the certificate'),
    ],
    [
      'whose certificate has expired',
      mtls,
      { client: { 'tls.crt': expired.cert, 'tls.key': expired.key } },
      invalid('Secret client, key tls.crt: the certificate expired on Jan  1 11:59:59 2026 GMT'),
    ],
    ['without an API key', { apiKeySecretRef }, { cloud: {} }, notFound('Secret cloud has no value under the key key')],
    ['that was not read', { apiKeySecretRef }, {}, notFound('Secret cloud has no value under the key key')],
  ])('%s is named, with its key', (_, spec, secrets, expected) => expect(refusal(spec, secrets)).toEqual(expected));

  it.each(['two\nlines', 'a b', 'é', '\u0000', '\t', ' \n '])(
    'with the API key %p cannot be used, and its value is not told',
    (key) =>
      expect(refusal({ apiKeySecretRef }, { cloud: { key } })).toEqual(
        invalid('Secret cloud, key key: an API key is one line of visible ASCII characters'),
      ),
  );

  it('whatever is in it never shows in what is said of it', () => {
    const value = fc.oneof(
      fc.uint8Array({ minLength: 12, maxLength: 60 }),
      fc.string({ minLength: 12 }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(value, fc.constantFrom('ca', 'cert', 'apiKey'), (bytes, use) => {
        const spec = { ca: { tls: { caSecretRef } }, cert: mtls, apiKey: { apiKeySecretRef } }[use];
        const secrets = {
          ca: { 'ca.crt': bytes },
          client: { 'tls.crt': client.cert, 'tls.key': bytes },
          cloud: { key: bytes },
        };
        let message = '';
        try {
          target(spec, secrets);
        } catch (error) {
          message = String(error);
        }
        expect(message).not.toContain(Buffer.from(bytes).toString().slice(0, 12));
      }),
      { numRuns: 60 },
    );
  });
});
