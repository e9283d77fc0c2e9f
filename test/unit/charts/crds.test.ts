import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import { kinds } from '../../../src/api/kinds.ts';
import { lint, ofKind, render, rulesOf } from '../../builders/chart.ts';
import type { Rendered } from '../../builders/chart.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly maxItems?: number;
}

interface Policy {
  readonly failurePolicy: string;
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly {
    readonly expression: string;
    readonly reason?: string;
    readonly messageExpression?: string;
  }[];
}

let objects: Rendered[];
beforeAll(async () => {
  objects = await render('aiworkflow-crds', { operatorNamespace: 'ops' });
});

it('passes the linter', () => expect(lint('aiworkflow-crds')).resolves.toContain('0 chart(s) failed'));

it.each(kinds.map(({ plural }) => plural))('keeps the CRD of %s, which is the generated one', (plural) => {
  const name = `${plural}.aiworkflow.dev`;
  const rendered = ofKind(objects, 'CustomResourceDefinition').find(({ metadata }) => metadata.name === name)!;
  const { annotations, labels, ...metadata } = rendered.metadata;
  const file = new URL(`../../../crds/aiworkflow.dev_${plural}.yaml`, import.meta.url);
  expect({ ...rendered, metadata }).toEqual(load(readFileSync(file, 'utf8')));
  expect(annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  expect(labels).toMatchObject({ 'app.kubernetes.io/part-of': 'aiworkflow' });
});

describe('admission policies', () => {
  it.each(['aiworkflow-workers', 'aiworkflow-connections', 'aiworkflow-arguments'])('%s denies with a 403', (name) => {
    const { failurePolicy, validations } = policy(name);
    expect(failurePolicy).toBe('Fail');
    for (const validation of validations) {
      expect(validation).toMatchObject({ reason: 'Forbidden', messageExpression: expect.stringContaining('may not') });
      // More than two checks in one expression exceed the cost budget of the API server.
      expect(validation.expression.match(/\.check\(/g)).toHaveLength(1);
    }
    const bindings = ofKind(objects, 'ValidatingAdmissionPolicyBinding').filter((at) => at.metadata.name === name);
    expect(bindings.map(({ spec }) => spec)).toEqual([{ policyName: name, validationActions: ['Deny'] }]);
  });

  it.each([
    ['workers', 'aiworkflow-workers'],
    ['temporalconnections', 'aiworkflow-connections'],
    ['clustertemporalconnections', 'aiworkflow-connections'],
  ])('every Secret that %s can name is asked for', (plural, name) => {
    const asked = policy(name).validations.map(({ expression }) => expression);
    const paths = secretPaths(specOf(plural));
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) {
      expect(asked).toContainEqual(expect.stringContaining(`object.spec.?${path.join('.?')}.?name.orValue('')`));
    }
  });

  it('every element that argsFrom can have is asked for', () => {
    const argsFrom = specOf('aiworkflows').properties?.['workflow']?.properties?.['argsFrom'];
    expect(policy('aiworkflow-arguments').validations).toHaveLength(argsFrom!.maxItems!);
  });

  it('a field of Worker changes pods, and is asked for, unless it is known not to', () => {
    const harmless = ['taskQueue', 'scaling', 'replicas', 'shutdownGracePeriod'];
    const { expression } = policy('aiworkflow-workers').variables.find(({ name }) => name === 'changesPods')!;
    const asked = JSON.parse(/\[.*?\]/.exec(expression)![0]) as string[];
    const fields = Object.keys(specOf('workers').properties!);
    expect(fields.filter((field) => !harmless.includes(field)).sort()).toEqual([...asked].sort());
  });

  it('Secrets of a ClusterTemporalConnection are those of the namespace that the chart is told of', async () => {
    const elsewhere = await render('aiworkflow-crds', { operatorNamespace: 'elsewhere' });
    const { variables } = ofKind(elsewhere, 'ValidatingAdmissionPolicy').find(
      ({ metadata }) => metadata.name === 'aiworkflow-connections',
    )!.spec as Policy;
    expect(variables).toContainEqual({
      name: 'secretNamespace',
      expression: "object.kind == 'ClusterTemporalConnection' ? 'elsewhere' : request.namespace",
    });
  });

  it.each(["x' || true || '", 'Upper', '', 7])('refuses %j for a namespace', async (operatorNamespace) => {
    await expect(render('aiworkflow-crds', { operatorNamespace })).rejects.toThrow(/operatorNamespace/);
  });
});

describe('roles', () => {
  const namespaced = kinds.filter(({ scope }) => scope === 'Namespaced').map(({ plural }) => plural);

  it.each([
    ['view', ['get', 'list', 'watch'], kinds.map(({ plural }) => plural)],
    ['edit', ['create', 'update', 'patch', 'delete', 'deletecollection'], namespaced],
    ['admin', ['create', 'update', 'patch', 'delete', 'deletecollection'], kinds.map(({ plural }) => plural)],
  ])('%s may %j its kinds, and the built-in role with it', (role, verbs, plurals) => {
    const found = role_(`aiworkflow-${role}`);
    expect(found.metadata.labels).toMatchObject({ [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true' });
    for (const plural of plurals) {
      const given = rulesOf([found]).flatMap((rule) => (rule.resources.includes(plural) ? rule.verbs : []));
      expect(given).toEqual(expect.arrayContaining(verbs));
    }
  });

  it('nobody is given Secrets but who binds the one role for it, and no status may be written', () => {
    const others = objects.filter(({ metadata }) => metadata.name !== 'aiworkflow-secret-reader');
    expect(rulesOf(others).flatMap(({ resources }) => resources)).not.toContain('secrets');
    expect(rulesOf([role_('aiworkflow-secret-reader')])).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
    ]);
    const writing = rulesOf(objects).filter(({ verbs }) => verbs.some((verb) => /create|update|patch/.test(verb)));
    expect(writing.flatMap(({ resources }) => resources.filter((name) => name.endsWith('/status')))).toEqual([]);
  });

  const role_ = (name: string) => ofKind(objects, 'ClusterRole').find(({ metadata }) => metadata.name === name)!;
});

function policy(name: string): Policy {
  const found = ofKind(objects, 'ValidatingAdmissionPolicy').find(({ metadata }) => metadata.name === name);
  return found!.spec as Policy;
}

function specOf(plural: string): Schema {
  const crd = ofKind(objects, 'CustomResourceDefinition').find(({ metadata }) => metadata.name.startsWith(`${plural}.`));
  const { versions } = crd!.spec as { versions: [{ schema: { openAPIV3Schema: Schema } }] };
  return versions[0].schema.openAPIV3Schema.properties!['spec']!;
}

function secretPaths(schema: Schema): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([field, inner]) =>
    field.endsWith('SecretRef') ? [[field]] : secretPaths(inner).map((path) => [field, ...path]),
  );
}
