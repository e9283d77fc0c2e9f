import { describe, expect, it } from '@jest/globals';
import type { PodConnection } from '../../../../src/controllers/worker/credentials.ts';
import { graceSeconds, withEnvironment } from '../../../../src/controllers/worker/environment.ts';
import { aWorker } from '../../../builders/worker.ts';

const plain: PodConnection = { address: 'temporal:7233', namespace: 'default' };
const { spec } = aWorker({ scaling: { tasksPerReplica: 4 }, spec: { shutdownGracePeriod: '90s' } });

const contract = [
  { name: 'TEMPORAL_TASK_QUEUE', value: 'ai-inference' },
  { name: 'AIWORKFLOW_IDENTITY', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
  { name: 'AIWORKFLOW_SLOTS', value: '4' },
  { name: 'AIWORKFLOW_HEARTBEAT_SECONDS', value: '2' },
  { name: 'AIWORKFLOW_GRACE_SECONDS', value: '90' },
];
const address = [
  { name: 'TEMPORAL_ADDRESS', value: 'temporal:7233' },
  { name: 'TEMPORAL_NAMESPACE', value: 'default' },
];
const tls = { name: 'TEMPORAL_TLS', value: 'true' };
const FILES = '/var/run/aiworkflow/temporal';

describe('the environment of a worker', () => {
  it('tells it its queue, its slots and its Temporal, and without TLS says so', () => {
    expect(withEnvironment({ containers: [{ name: 'worker' }] }, spec, plain)).toEqual({
      containers: [{ name: 'worker', env: [...contract, ...address, { name: 'TEMPORAL_TLS', value: 'false' }] }],
    });
  });

  it('has the API key by reference, and TLS with it', () => {
    const connection = { ...plain, apiKey: { name: 'cloud', key: 'k' }, tls: {} };
    expect(withEnvironment({ containers: [{ name: 'worker' }] }, spec, connection)).toEqual({
      containers: [
        {
          name: 'worker',
          env: [
            ...contract,
            ...address,
            { name: 'TEMPORAL_API_KEY', valueFrom: { secretKeyRef: { name: 'cloud', key: 'k' } } },
            tls,
          ],
        },
      ],
    });
  });

  it('has certificates as files, mounted beside what the template mounts', () => {
    const connection = {
      ...plain,
      tls: { serverName: 'x', ca: { name: 'ca', key: 'root.pem' }, clientCert: { name: 'client' } },
    };
    const podSpec = {
      containers: [{ name: 'worker', volumeMounts: [{ name: 'models', mountPath: '/models' }] }],
      volumes: [{ name: 'models', emptyDir: {} }],
    };
    expect(withEnvironment(podSpec, spec, connection)).toEqual({
      containers: [
        {
          name: 'worker',
          env: [
            ...contract,
            ...address,
            tls,
            { name: 'TEMPORAL_TLS_SERVER_NAME', value: 'x' },
            { name: 'TEMPORAL_TLS_SERVER_CA_CERT_PATH', value: `${FILES}/ca/ca.crt` },
            { name: 'TEMPORAL_TLS_CLIENT_CERT_PATH', value: `${FILES}/client/tls.crt` },
            { name: 'TEMPORAL_TLS_CLIENT_KEY_PATH', value: `${FILES}/client/tls.key` },
          ],
          volumeMounts: [
            { name: 'models', mountPath: '/models' },
            { name: 'aiworkflow-temporal-ca', mountPath: `${FILES}/ca`, readOnly: true },
            { name: 'aiworkflow-temporal-client', mountPath: `${FILES}/client`, readOnly: true },
          ],
        },
      ],
      volumes: [
        { name: 'models', emptyDir: {} },
        {
          name: 'aiworkflow-temporal-ca',
          secret: { secretName: 'ca', items: [{ key: 'root.pem', path: 'ca.crt' }] },
        },
        { name: 'aiworkflow-temporal-client', secret: { secretName: 'client' } },
      ],
    });
  });

  it("is the user's where the user has said something, once, and goes into the worker's container alone", () => {
    const own = [
      { name: 'AIWORKFLOW_SLOTS', value: 'first' },
      { name: 'AIWORKFLOW_SLOTS', value: 'second' },
      { name: 'MINE', value: '$(TEMPORAL_ADDRESS)' },
    ];
    const podSpec = {
      containers: [
        { name: 'sidecar', env: [] },
        { name: 'worker', env: own },
      ],
    };
    const rest = contract.filter(({ name }) => name !== 'AIWORKFLOW_SLOTS');
    expect(withEnvironment(podSpec, spec, plain)).toEqual({
      containers: [
        { name: 'sidecar', env: [] },
        {
          name: 'worker',
          env: [...rest, ...address, { name: 'TEMPORAL_TLS', value: 'false' }, own[1], own[2]],
        },
      ],
    });
  });
});

it.each([
  ['90s', 90],
  ['1500ms', 1.5],
  ['0s', 0],
  ['9999h', 604_800],
])('a grace of %s is %d seconds, and a week at most', (shutdownGracePeriod, seconds) => {
  expect(graceSeconds(aWorker({ spec: { shutdownGracePeriod } }).spec)).toBe(seconds);
});
