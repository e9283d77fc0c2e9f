import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { Config, environmentName } from '../../../src/config.ts';
import { chartFolder, lint, ofKind, render, rulesOf } from '../../builders/chart.ts';
import type { Rendered } from '../../builders/chart.ts';

const everything = {
  tenants: ['team-a'],
  serviceMonitor: { enabled: true },
  networkPolicy: { enabled: true },
  temporal: { devServer: { enabled: true, persistence: { enabled: true } } },
};

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

const operator = (values?: object) => render('aiworkflow-operator', values);

it('passes the linter', () => expect(lint('aiworkflow-operator')).resolves.toContain('0 chart(s) failed'));

it.each(['aiworkflow-operator', 'aiworkflow-crds'])('%s has the version of the program', (chart) => {
  const yaml = load(readFileSync(`${chartFolder(chart)}/Chart.yaml`, 'utf8'));
  expect(yaml).toMatchObject({ version, appVersion: version });
});

describe('values', () => {
  it.each<[object, RegExp]>([
    [{ replica: 2 }, /replica/],
    [{ image: { repo: 'x' } }, /repo/],
    [{ temporal: { devServer: { enable: true } } }, /enable/],
    [{ resources: { limit: {} } }, /limit/],
    [{ tolerations: [{ keys: 'x' }] }, /keys/],
    [{ clusterName: 'Prod' }, /clusterName/],
    [{ clusterName: 'a.b' }, /clusterName/],
    [{ clusterName: '' }, /clusterName/],
    [{ clusterName: `x${'y'.repeat(63)}` }, /clusterName/],
    [{ namespaces: 'team-a' }, /namespaces/],
    [{ namespaces: ['team-a', 'team-a'] }, /namespaces/],
    [{ tenants: ['*'] }, /tenants/],
    [{ replicas: 0 }, /replicas/],
    [{ log: { level: 'loud' } }, /level/],
    [{ image: { digest: 'latest' } }, /digest/],
    [{ extraEnv: [{ name: 'KEY', valueFrom: {} }] }, /extraEnv/],
  ])('refuses %j', async (values, naming) => {
    await expect(operator(values)).rejects.toThrow(naming);
  });

  it('no level takes unknown keys, but where Kubernetes checks them', () => {
    const schema: unknown = JSON.parse(readFileSync(`${chartFolder('aiworkflow-operator')}/values.schema.json`, 'utf8'));
    expect(openObjects(schema, '')).toEqual(['/definitions/kubernetes']);
  });

  it('passes placement on to every pod of the image', async () => {
    const placement = {
      nodeSelector: { pool: 'system' },
      tolerations: [{ key: 'system', operator: 'Exists' }],
      imagePullSecrets: [{ name: 'pull' }],
      priorityClassName: 'high',
    };
    for (const { spec } of podsOf(await operator(placement))) expect(spec).toMatchObject(placement);
  });

  it('prefers a digest to a tag, and has a tag of its own', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const images = async (image: object) => podsOf(await operator({ image })).map(imageOf);
    expect(new Set(await images({ tag: 'x', digest }))).toEqual(new Set([`aiworkflow/operator@${digest}`]));
    expect(new Set(await images({}))).toEqual(new Set([`aiworkflow/operator:${version}`]));
  });
});

describe('rights', () => {
  it('have no rule on Secrets, whatever the values', async () => {
    for (const values of [{}, everything, { ...everything, namespaces: ['team-a', 'team-b'] }]) {
      const resources = rulesOf(await operator(values)).flatMap((rule) => rule.resources);
      expect(resources).not.toContain('secrets');
      expect(resources).not.toContain('*');
    }
  });

  it('never write a spec, nor delete anything but in the cleanup', async () => {
    const lasting = (await operator(everything)).filter((object) => hookOf(object) === undefined);
    for (const { resources, verbs } of rulesOf(lasting)) {
      expect(verbs).not.toEqual(expect.arrayContaining([expect.stringMatching(/delete|\*|bind|escalate/)]));
      if (resources.includes('workers')) expect(verbs).toEqual(['get', 'list', 'watch']);
    }
  });

  it('on what belongs to pools are those that are used', async () => {
    const lasting = (await operator(everything)).filter((object) => hookOf(object) === undefined);
    const rights = rulesOf(lasting).flatMap(({ resources, verbs }) =>
      resources.map((resource): [string, readonly string[]] => [resource, verbs]),
    );
    const owned = ['deployments', 'replicasets', 'pods', 'poddisruptionbudgets'];
    expect(Object.fromEntries(rights.filter(([resource]) => owned.includes(resource)))).toEqual({
      deployments: ['get', 'list', 'watch', 'create', 'patch'],
      pods: ['list', 'watch', 'patch'],
      poddisruptionbudgets: ['get', 'create'],
    });
  });

  it('for a list of namespaces are Roles there, and nothing for the cluster, hooks included', async () => {
    const objects = await operator({ ...everything, namespaces: ['team-a', 'team-b'] });
    expect(ofKind(objects, 'ClusterRole', 'ClusterRoleBinding')).toEqual([]);
    const served = ofKind(objects, 'Role').filter(({ metadata }) => metadata.namespace !== 'ops');
    expect(served.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`).sort()).toEqual([
      'team-a/aiworkflow',
      'team-a/aiworkflow-cleanup-runs',
      'team-b/aiworkflow',
      'team-b/aiworkflow-cleanup-runs',
    ]);
    expect(rulesOf(served).flatMap(({ resources }) => resources)).not.toContain('clustertemporalconnections');
  });

  it.each([
    [{}, ['ops']],
    [{ tenants: ['team-a', 'ops'] }, ['ops', 'team-a']],
    [{ namespaces: ['team-a'], tenants: ['team-a'] }, ['team-a']],
    [{ namespaces: ['team-a'] }, []],
  ])('with %j, Secrets can be read in %j', async (values, namespaces) => {
    const bindings = ofKind(await operator(values), 'RoleBinding').filter((binding) => roleOf(binding).endsWith('reader'));
    expect(bindings.map(({ metadata }) => metadata.namespace).sort()).toEqual(namespaces);
    for (const binding of bindings) expect(roleOf(binding)).toBe('ClusterRole/aiworkflow-secret-reader');
  });
});

describe('pods', () => {
  it('meet the restricted standard, with a root file system that cannot be written', async () => {
    const pods = podsOf(await operator(everything));
    expect(pods.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['aiworkflow', 'temporal-frontend', 'aiworkflow-cleanup', 'aiworkflow-test']),
    );
    for (const { spec } of pods) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const { securityContext, resources } of spec.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources).toMatchObject({ requests: { memory: expect.anything() }, limits: { memory: expect.anything() } });
      }
    }
  });

  it('of the operator are told only what it knows as settings', async () => {
    const [pod] = podsOf(await operator({ clusterName: 'prod', namespaces: ['a', 'b'] }));
    const environment = pod!.spec.containers[0]!.env!;
    const settings = Object.keys(Config.shape).map(environmentName);
    const ours = environment.filter(({ name }) => name.startsWith('AIWORKFLOW_'));
    expect(ours.filter(({ name }) => !settings.includes(name))).toEqual([]);
    expect(ours).toEqual(
      expect.arrayContaining([
        { name: 'AIWORKFLOW_CLUSTER_NAME', value: 'prod' },
        { name: 'AIWORKFLOW_NAMESPACES', value: 'a,b' },
        { name: 'AIWORKFLOW_LEASE_NAME', value: 'aiworkflow' },
      ]),
    );
    expect(environment.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['POD_NAME', 'POD_NAMESPACE', 'POD_UID', 'POD_SERVICE_ACCOUNT']),
    );
  });

  it('of one replica have no disruption budget, which would keep the node from being drained', async () => {
    expect(ofKind(await operator({ replicas: 1 }), 'PodDisruptionBudget')).toEqual([]);
    expect(ofKind(await operator({ replicas: 2 }), 'PodDisruptionBudget')).toHaveLength(1);
  });
});

it('hooks go away by themselves, whether they succeed or not', async () => {
  const hooks = (await operator(everything)).filter((object) => hookOf(object) !== undefined);
  expect(new Set(hooks.map(hookOf))).toEqual(new Set(['pre-delete', 'test']));
  for (const { metadata } of hooks) {
    expect(metadata.annotations?.['helm.sh/hook-delete-policy']).toBe('before-hook-creation,hook-succeeded,hook-failed');
  }
});

it('the rights of the cleanup exist only while it runs', async () => {
  const objects = await operator(everything);
  const ofCleanup = objects.filter(({ metadata }) => metadata.name.includes('-cleanup'));
  expect(ofCleanup.map(({ kind }) => kind).sort()).toEqual(
    ['ClusterRole', 'ClusterRoleBinding', 'Job', 'Role', 'RoleBinding', 'ServiceAccount'].sort(),
  );
  expect(ofCleanup.map(hookOf)).toEqual(ofCleanup.map(() => 'pre-delete'));
});

interface PodSpec {
  readonly securityContext: object;
  readonly containers: readonly {
    readonly image: string;
    readonly securityContext: object;
    readonly resources: object;
    readonly env?: readonly { readonly name: string; readonly value?: string }[];
  }[];
}

function podsOf(objects: readonly Rendered[]): { readonly name: string; readonly spec: PodSpec }[] {
  return ofKind(objects, 'Deployment', 'Job', 'Pod').map(({ kind, metadata, spec }) => ({
    name: metadata.name,
    spec: (kind === 'Pod' ? spec : (spec as { template: { spec: PodSpec } }).template.spec) as PodSpec,
  }));
}

const imageOf = ({ spec }: { spec: PodSpec }) => spec.containers[0]!.image;

const hookOf = ({ metadata }: Rendered) => metadata.annotations?.['helm.sh/hook'];

function roleOf(binding: Rendered): string {
  const { roleRef } = binding as unknown as { roleRef: { kind: string; name: string } };
  return `${roleRef.kind}/${roleRef.name}`;
}

/** Where a schema lets unknown keys of an object pass. */
function openObjects(schema: unknown, path: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const isOpen = 'type' in schema && schema.type === 'object' && !('additionalProperties' in schema);
  const inner = Object.entries(schema).flatMap(([key, value]) => openObjects(value, `${path}/${key}`));
  return isOpen ? [path, ...inner] : inner;
}
