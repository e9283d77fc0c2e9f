import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Worker } from '../../../../src/api/worker.ts';
import { desiredBudget } from '../../../../src/controllers/worker/budget.ts';
import type { PodConnection } from '../../../../src/controllers/worker/credentials.ts';
import { desiredDeployment } from '../../../../src/controllers/worker/deployment.ts';
import { asObject, asObjects, type Loose } from '../../../../src/controllers/worker/loose.ts';
import { aWorker } from '../../../builders/worker.ts';

const plain: PodConnection = { address: 'temporal:7233', namespace: 'default' };
const secured: PodConnection = {
  ...plain,
  apiKey: { name: 'cloud', key: 'key' },
  tls: { serverName: 'temporal.example', ca: { name: 'ca', key: 'root.pem' }, clientCert: { name: 'client' } },
};

const template = (podSpec: Loose, container: Loose = {}) => ({
  template: { spec: { containers: [{ name: 'worker', image: 'worker:1', ...container }], ...podSpec } },
});

function deployment(worker: Worker, connection = plain, isSizeKept = false) {
  const { manifest, ...hashes } = desiredDeployment(worker, connection, isSizeKept);
  const pod = asObject(asObject(manifest.spec['template']));
  const podSpec = asObject(pod['spec']);
  const containers = asObjects(podSpec['containers']);
  return { ...hashes, manifest, pod, podSpec, containers, env: environmentOf(containers[0]) };
}

function environmentOf(container: Loose | undefined): Record<string, unknown> {
  const entries = asObjects(container?.['env']).map(({ name, value, valueFrom }) => [String(name), value ?? valueFrom]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

describe('the Deployment of a Worker', () => {
  it('is named, labelled, owned and selected by the Worker', () => {
    const { manifest, pod } = deployment(aWorker());
    expect(manifest.metadata).toMatchObject({
      name: 'gpu-pool',
      namespace: 'team-a',
      labels: { 'aiworkflow.dev/worker': 'gpu-pool' },
      ownerReferences: [{ kind: 'Worker', name: 'gpu-pool', uid: 'w-1', controller: true, blockOwnerDeletion: true }],
    });
    const labels = { 'aiworkflow.dev/worker': 'gpu-pool', 'aiworkflow.dev/pool': 'gpu-pool' };
    expect(manifest.spec['selector']).toEqual({ matchLabels: labels });
    expect(pod['metadata']).toMatchObject({ labels });
  });

  it('rolls one pod at a time and never below its size', () => {
    expect(deployment(aWorker()).manifest.spec).toMatchObject({
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      progressDeadlineSeconds: 1800,
    });
  });

  it('keeps labels and annotations of the template, but not those that select', () => {
    const labels = { 'kueue.x-k8s.io/queue-name': 'q', 'aiworkflow.dev/worker': 'other' };
    const spec = { template: { ...template({}).template, metadata: { labels, annotations: { a: 'b' } } } };
    const { pod, templateHash } = deployment(aWorker({ spec }));
    expect(pod['metadata']).toEqual({
      labels: {
        'kueue.x-k8s.io/queue-name': 'q',
        'aiworkflow.dev/worker': 'gpu-pool',
        'aiworkflow.dev/pool': 'gpu-pool',
      },
      annotations: { a: 'b', 'aiworkflow.dev/template': templateHash },
    });
  });

  it('remembers spec.replicas in the mode Backlog, and after it until somebody asks for a size', () => {
    const remembered = (mode: 'Backlog' | 'External', isSizeKept = false) => {
      const { manifest } = deployment(aWorker({ scaling: { mode }, spec: { replicas: 3 } }), plain, isSizeKept);
      return asObject(manifest.metadata['annotations'])['aiworkflow.dev/backlog-replicas'];
    };
    expect(remembered('Backlog')).toBe('3');
    expect(remembered('External', true)).toBe('3');
    expect(remembered('External')).toBeUndefined();
  });

  it('gives pods the grace period and a margin', () => {
    expect(deployment(aWorker()).podSpec['terminationGracePeriodSeconds']).toBe(310);
    expect(
      deployment(aWorker({ spec: { shutdownGracePeriod: '1500ms' } })).podSpec['terminationGracePeriodSeconds'],
    ).toBe(12);
  });

  it('strips nulls, and defines a member called __proto__ like any other', () => {
    const podSpec = JSON.parse(
      '{"priorityClassName":null,"affinity":{"nodeAffinity":null},"__proto__":{"polluted":true}}',
    ) as Loose;
    const made = deployment(aWorker({ spec: template(podSpec) })).podSpec;
    expect(made).not.toHaveProperty('priorityClassName');
    expect(made['affinity']).toEqual({});
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  it('is refused when the template is nested beyond reason', () => {
    let nested: Loose = {};
    for (let depth = 0; depth < 9000; depth++) nested = { a: nested };
    expect(() => deployment(aWorker({ spec: template({ nested }) }))).toThrow(/nested/);
  });
});

describe('its hashes', () => {
  it('do not depend on the order of members', () => {
    const one = template({ nodeSelector: { a: '1', b: '2' } });
    const other = template({ nodeSelector: { b: '2', a: '1' } });
    expect(deployment(aWorker({ spec: one })).hash).toBe(deployment(aWorker({ spec: other })).hash);
  });

  it('change with the template, and the one of the template with nothing else', () => {
    const before = deployment(aWorker());
    const scaled = deployment(aWorker({ spec: { replicas: 5 } }));
    const edited = deployment(aWorker({ spec: template({}, { image: 'worker:2' }) }));
    expect(scaled.templateHash).toBe(before.templateHash);
    expect(scaled.hash).not.toBe(before.hash);
    expect(edited.templateHash).not.toBe(before.templateHash);
  });

  it('do not change with scaling limits', () => {
    expect(deployment(aWorker({ scaling: { max: 2 } })).hash).toBe(deployment(aWorker({ scaling: { max: 9 } })).hash);
  });
});

describe('the environment of the worker container', () => {
  it('is the contract and the standard Temporal environment', () => {
    expect(deployment(aWorker({ scaling: { tasksPerReplica: 4 } })).env).toEqual({
      TEMPORAL_TASK_QUEUE: 'ai-inference',
      AIWORKFLOW_IDENTITY: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
      AIWORKFLOW_SLOTS: '4',
      AIWORKFLOW_HEARTBEAT_SECONDS: '2',
      AIWORKFLOW_GRACE_SECONDS: '300',
      TEMPORAL_ADDRESS: 'temporal:7233',
      TEMPORAL_NAMESPACE: 'default',
      TEMPORAL_TLS: 'false',
    });
  });

  it('refers to credentials by name and mounts certificates as files', () => {
    const { env, podSpec, containers } = deployment(aWorker(), secured);
    expect(env).toMatchObject({
      TEMPORAL_API_KEY: { secretKeyRef: { name: 'cloud', key: 'key' } },
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_SERVER_NAME: 'temporal.example',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/var/run/aiworkflow/temporal/ca/ca.crt',
      TEMPORAL_TLS_CLIENT_CERT_PATH: '/var/run/aiworkflow/temporal/client/tls.crt',
      TEMPORAL_TLS_CLIENT_KEY_PATH: '/var/run/aiworkflow/temporal/client/tls.key',
    });
    expect(podSpec['volumes']).toEqual([
      { name: 'aiworkflow-temporal-ca', secret: { secretName: 'ca', items: [{ key: 'root.pem', path: 'ca.crt' }] } },
      { name: 'aiworkflow-temporal-client', secret: { secretName: 'client' } },
    ]);
    expect(containers[0]!['volumeMounts']).toEqual([
      { name: 'aiworkflow-temporal-ca', mountPath: '/var/run/aiworkflow/temporal/ca', readOnly: true },
      { name: 'aiworkflow-temporal-client', mountPath: '/var/run/aiworkflow/temporal/client', readOnly: true },
    ]);
  });

  it('leaves what the user says, once', () => {
    const env = [
      { name: 'AIWORKFLOW_SLOTS', value: '9' },
      { name: 'MODEL', value: 'a' },
      { name: 'MODEL', value: 'b' },
    ];
    const { containers } = deployment(aWorker({ spec: template({}, { env }) }));
    const made = asObjects(containers[0]!['env']);
    expect(new Set(made.map(({ name }) => name)).size).toBe(made.length);
    expect(environmentOf(containers[0])).toMatchObject({ AIWORKFLOW_SLOTS: '9', MODEL: 'b' });
  });

  it.each([
    ['CA', 'TEMPORAL_TLS_SERVER_CA_CERT_DATA', 'TEMPORAL_TLS_SERVER_CA_CERT_PATH', ['aiworkflow-temporal-client']],
    ['certificate', 'TEMPORAL_TLS_CLIENT_CERT_DATA', 'TEMPORAL_TLS_CLIENT_KEY_PATH', ['aiworkflow-temporal-ca']],
    ['key', 'TEMPORAL_TLS_CLIENT_KEY_DATA', 'TEMPORAL_TLS_CLIENT_CERT_PATH', ['aiworkflow-temporal-ca']],
  ])('has no other %s beside that of the user: an SDK refuses both', (_, given, ours, volumes) => {
    const env = [{ name: given, value: '-----BEGIN…' }];
    const made = deployment(aWorker({ spec: template({}, { env }) }), secured);
    expect(made.env).not.toHaveProperty(ours);
    expect(asObjects(made.podSpec['volumes']).map(({ name }) => name)).toEqual(volumes);
    expect(asObjects(made.containers[0]?.['volumeMounts']).map(({ name }) => name)).toEqual(volumes);
  });

  it('goes to the container named worker, else to the first, and to no other', () => {
    const containers = (...names: string[]) => ({ containers: names.map((name) => ({ name, image: 'i' })) });
    const got = (...names: string[]) =>
      deployment(aWorker({ spec: { template: { spec: containers(...names) } } })).containers.flatMap((one) =>
        one['env'] ? [one['name']] : [],
      );
    expect(got('sidecar', 'worker')).toEqual(['worker']);
    expect(got('main', 'sidecar')).toEqual(['main']);
  });
});

describe('its GPUs', () => {
  it('are limits and requests of the worker container, with where they are found', () => {
    const gpu = {
      count: 2,
      nodeSelector: { gpu: 'h100' },
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
    };
    const given = template(
      { nodeSelector: { zone: 'a' }, tolerations: gpu.tolerations },
      { resources: { limits: { memory: '1Gi' } } },
    );
    const { containers, podSpec } = deployment(aWorker({ spec: { ...given, gpu } }));
    expect(containers[0]!['resources']).toEqual({
      limits: { memory: '1Gi', 'nvidia.com/gpu': '2' },
      requests: { 'nvidia.com/gpu': '2' },
    });
    expect(podSpec).toMatchObject({ nodeSelector: { zone: 'a', gpu: 'h100' }, tolerations: gpu.tolerations });
  });
});

describe('its pods', () => {
  it('are restricted', () => {
    const { podSpec, containers } = deployment(aWorker());
    expect(podSpec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(containers[0]!['securityContext']).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  const seccompProfile = { type: 'RuntimeDefault' };

  it.each<[string, { pod?: Loose; container?: Loose }, { pod?: Loose; container?: Loose }]>([
    [
      'a service-account token',
      { pod: { automountServiceAccountToken: true } },
      { pod: { automountServiceAccountToken: true } },
    ],
    [
      'root',
      { pod: { securityContext: { runAsUser: 0 } } },
      { pod: { securityContext: { runAsUser: 0, seccompProfile } } },
    ],
    ['root in one container', { container: { runAsUser: 0 } }, { container: { runAsUser: 0, runAsNonRoot: false } }],
    [
      'privileges',
      { container: { privileged: true } },
      { container: { privileged: true, capabilities: { drop: ['ALL'] } } },
    ],
    [
      'capabilities',
      { container: { capabilities: { add: ['SYS_PTRACE'] } } },
      { container: { capabilities: { add: ['SYS_PTRACE'], drop: ['ALL'] } } },
    ],
  ])('get %s when the template asks for it', (_, given, expected) => {
    const { podSpec, containers } = deployment(
      aWorker({ spec: template(given.pod ?? {}, { securityContext: given.container ?? {} }) }),
    );
    expect(podSpec).toMatchObject(expected.pod ?? {});
    expect(containers[0]!['securityContext']).toMatchObject(expected.container ?? {});
  });

  it('never contradict themselves about privileges', () => {
    const { containers } = deployment(aWorker({ spec: template({}, { securityContext: { privileged: true } }) }));
    expect(containers[0]!['securityContext']).not.toHaveProperty('allowPrivilegeEscalation');
  });

  it('restrict init containers alike', () => {
    const initContainers = [{ name: 'fetch', image: 'i' }];
    const { podSpec } = deployment(aWorker({ spec: template({ initContainers }) }));
    expect(asObjects(podSpec['initContainers'])[0]).toMatchObject({
      securityContext: { allowPrivilegeEscalation: false },
    });
  });
});

it('whatever stands in the template, a Deployment comes of it or a sentence', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.dictionary(fc.string(), fc.jsonValue()),
      (podSpec, container) => {
        const { name: _, ...fields } = container;
        const { containers: __, ...rest } = podSpec;
        const made = deployment(aWorker({ spec: template(rest, fields) }), secured);
        expect(made.env).toHaveProperty('TEMPORAL_TASK_QUEUE');
      },
    ),
  );
});

it('the budget lets drains take one pod, and broken ones at any time', () => {
  expect(desiredBudget(aWorker())).toMatchObject({
    metadata: { name: 'gpu-pool', ownerReferences: [{ uid: 'w-1' }] },
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { 'aiworkflow.dev/worker': 'gpu-pool' } },
    },
  });
});
