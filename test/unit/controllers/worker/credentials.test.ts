import { describe, expect, it } from '@jest/globals';
import { ClusterTemporalConnection, TemporalConnection, type Connection } from '../../../../src/api/connection.ts';
import { podConnection } from '../../../../src/controllers/worker/credentials.ts';
import { aWorker } from '../../../builders/worker.ts';

const address = 'temporal:7233';
const metadata = { name: 'temporal', uid: 'c-1', resourceVersion: '1' };
const ofNamespace = (spec: Record<string, unknown>): Connection => ({
  metadata: { ...metadata, namespace: 'team-a' },
  spec: TemporalConnection.spec.parse({ address, ...spec }),
  status: { observedGeneration: 1 },
});
const ofCluster = (spec: Record<string, unknown>): Connection => ({
  metadata,
  spec: ClusterTemporalConnection.spec.parse({ address, ...spec }),
  status: { observedGeneration: 1 },
});

const withSecrets = {
  apiKeySecretRef: { name: 'cloud', key: 'key' },
  tls: { caSecretRef: { name: 'ca', key: 'ca.crt' }, clientCertSecretRef: { name: 'client' } },
};
const caVariable = { name: 'TEMPORAL_TLS_SERVER_CA_CERT_DATA', value: '-----BEGIN…' };
const withEnv = (...env: object[]) => ({ template: { spec: { containers: [{ name: 'worker', env }] } } });

describe('how pods reach Temporal', () => {
  it('is without TLS unless the connection has it', () => {
    expect(podConnection(aWorker().spec, ofNamespace({}))).toEqual({ address, namespace: 'default' });
  });

  it('is with the Secrets of a connection of their own namespace', () => {
    expect(podConnection(aWorker().spec, ofNamespace(withSecrets))).toEqual({
      address,
      namespace: 'default',
      apiKey: { name: 'cloud', key: 'key' },
      tls: { ca: { name: 'ca', key: 'ca.crt' }, clientCert: { name: 'client' } },
    });
  });

  it('never sends an API key in the clear, unless that is asked for in so many words', () => {
    const { apiKeySecretRef } = withSecrets;
    expect(podConnection(aWorker().spec, ofNamespace({ apiKeySecretRef }))).toHaveProperty('tls', {});
    const off = { apiKeySecretRef, tls: { enabled: false } };
    expect(podConnection(aWorker().spec, ofNamespace(off))).not.toHaveProperty('tls');
  });

  it.each([
    ['credentials', { credentials: { apiKeySecretRef: { name: 'own', key: 'k' } } }],
    ['environment', withEnv({ name: 'TEMPORAL_API_KEY', value: 'k' })],
  ])('never sends an API key of the %s in the clear either', (_, brought) => {
    const { spec } = aWorker({ spec: brought });
    expect(podConnection(spec, ofNamespace({}))).toHaveProperty('tls', {});
    expect(podConnection(spec, ofNamespace({ tls: { enabled: false } }))).not.toHaveProperty('tls');
  });

  it('is with the credentials of the Worker where it has some', () => {
    const credentials = { apiKeySecretRef: { name: 'own', key: 'k' }, clientCertSecretRef: { name: 'own-cert' } };
    expect(podConnection(aWorker({ spec: { credentials } }).spec, ofNamespace(withSecrets))).toMatchObject({
      apiKey: { name: 'own' },
      tls: { clientCert: { name: 'own-cert' }, ca: { name: 'ca' } },
    });
  });

  it.each([
    ['an API key', { apiKeySecretRef: withSecrets.apiKeySecretRef }, /API key.*spec.credentials.apiKeySecretRef/],
    [
      'a client certificate',
      { tls: { clientCertSecretRef: { name: 'client' } } },
      /client certificate.*clientCertSecretRef/,
    ],
    ['a CA', { tls: { caSecretRef: { name: 'ca', key: 'k' } } }, /CA.*TEMPORAL_TLS_SERVER_CA_CERT/],
  ])('needs the Worker to bring what a ClusterTemporalConnection keeps elsewhere: %s', (_, spec, message) => {
    expect(podConnection(aWorker().spec, ofCluster(spec))).toEqual({
      reason: 'SecretNotFound',
      message: expect.stringMatching(message),
    });
  });

  it('takes credentials or environment of the Worker for what a ClusterTemporalConnection keeps elsewhere', () => {
    const credentials = { apiKeySecretRef: { name: 'own', key: 'k' }, clientCertSecretRef: { name: 'own-cert' } };
    const { spec } = aWorker({ spec: { credentials, ...withEnv(caVariable) } });
    expect(podConnection(spec, ofCluster(withSecrets))).toEqual({
      address,
      namespace: 'default',
      apiKey: credentials.apiKeySecretRef,
      tls: { clientCert: credentials.clientCertSecretRef },
    });
  });
});
