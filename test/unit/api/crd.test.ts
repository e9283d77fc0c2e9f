import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import * as z from 'zod';
import { structuralSchema, toCrd, type Schema } from '../../../src/api/crd.ts';
import { kinds } from '../../../src/api/kinds.ts';
import { reasons } from '../../../src/api/reasons.ts';

const isFree = (n: Schema) => n['x-kubernetes-preserve-unknown-fields'] === true;

/** The fields that Kubernetes users expect to be booleans. */
const BOOLEANS = new Set([
  'spec.tls.enabled',
  'spec.template.spec.hostNetwork',
  'spec.template.spec.setHostnameAsFQDN',
  'status.resultTruncated',
]);

/** Every rule we keep, as [rule, does this node break it?]. Modelled on kube-api-linter. */
const conventions: readonly [string, (node: Schema, path: string) => boolean][] = [
  ['has a type', (n) => n['type'] === undefined && !isFree(n)],
  ['has no $ref', (n) => '$ref' in n],
  ['has no anyOf, oneOf or allOf', (n) => 'anyOf' in n || 'oneOf' in n || 'allOf' in n],
  ['does not mix properties and additionalProperties', (n) => 'properties' in n && 'additionalProperties' in n],
  ['is described', (n) => typeof n['description'] !== 'string'],
  ['is not a float', (n) => n['type'] === 'number'],
  ['is not a boolean', (n, path) => n['type'] === 'boolean' && !BOOLEANS.has(path)],
  ['bounds its strings', (n) => n['type'] === 'string' && !n['enum'] && !n['format'] && n['maxLength'] === undefined],
  ['bounds its arrays', (n) => n['type'] === 'array' && n['maxItems'] === undefined],
  ['bounds its maps', (n) => 'additionalProperties' in n && n['maxProperties'] === undefined],
  ['declares a list type', (n) => n['type'] === 'array' && n['x-kubernetes-list-type'] === undefined],
  ['lets arbitrary JSON hold null', (n) => isFree(n) && n['type'] === undefined && n['nullable'] !== true],
  [
    'gives every rule a sentence',
    (n) => ((n['x-kubernetes-validations'] ?? []) as Schema[]).some((rule) => !rule['message']),
  ],
];

function* walk(node: Schema, path: string): Generator<[string, Schema]> {
  yield [path, node];
  for (const [key, child] of Object.entries((node['properties'] ?? {}) as Record<string, Schema>))
    yield* walk(child, `${path}.${key}`);
  if (node['items']) yield* walk(node['items'] as Schema, `${path}[]`);
}

describe.each(kinds.map((kind) => [kind.kind, kind] as const))('the CRD of %s', (_, kind) => {
  const crd = toCrd(kind);
  const { properties } = crd.spec.versions[0]!.schema.openAPIV3Schema;
  it.each([...walk(properties.spec, 'spec'), ...walk(properties.status, 'status')])(
    '%s keeps the API conventions',
    (path, node) => {
      expect(conventions.filter(([, breaks]) => breaks(node, path)).map(([rule]) => rule)).toEqual([]);
    },
  );

  it('lets a newer operator write a word this CRD has never heard of', () => {
    expect(JSON.stringify(properties.status)).not.toContain('"enum"');
  });

  it('is in no category that kubectl would take for the name of a kind', () => {
    const names = kinds.map((other) => toCrd(other).spec.names);
    const taken = names.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames]);
    expect(crd.spec.names.categories.filter((category) => taken.includes(category))).toEqual([]);
  });

  it('makes kstatus see a fresh resource as in progress', () => {
    expect(properties.status['default']).toEqual({ observedGeneration: -1 });
  });

  it('stays small enough for Helm and etcd', () => {
    expect(JSON.stringify(crd).length).toBeLessThan(256 * 1024);
  });

  it('is what is committed', () => {
    const committed = readFileSync(
      new URL(`../../../crds/aiworkflow.dev_${kind.plural}.yaml`, import.meta.url),
      'utf8',
    );
    expect(load(committed)).toEqual(JSON.parse(JSON.stringify(crd)));
  });
});

describe('structuralSchema', () => {
  it.each([
    ['a union', z.object({ a: z.union([z.string(), z.int32()]) })],
    [
      'a discriminated union',
      z.discriminatedUnion('t', [z.object({ t: z.literal('a') }), z.object({ t: z.literal('b') })]),
    ],
    ['a transform', z.object({ a: z.string().transform(Number) })],
    ['a refinement', z.object({ a: z.string() }).refine((o) => o.a)],
    ['a Date', z.date()],
    ['a strict object', z.strictObject({ a: z.string() })],
  ])('refuses %s', (_, schema) => {
    expect(() => structuralSchema(schema)).toThrow();
  });

  it('keeps arbitrary objects and arbitrary values as they are', () => {
    const { properties } = structuralSchema(z.object({ template: z.looseObject({}), input: z.unknown() }));
    expect(properties).toEqual({
      template: { type: 'object', properties: {}, 'x-kubernetes-preserve-unknown-fields': true },
      input: { nullable: true, 'x-kubernetes-preserve-unknown-fields': true },
    });
  });

  it('writes integers as Kubernetes knows them', () => {
    const { properties } = structuralSchema(z.object({ small: z.int32().min(1), big: z.int() }));
    expect(properties).toEqual({
      small: { type: 'integer', format: 'int32', minimum: 1 },
      big: { type: 'integer', format: 'int64' },
    });
  });
});

it('documents every reason', () => {
  const page = readFileSync(new URL('../../../crds/README.md', import.meta.url), 'utf8');
  expect(Object.keys(reasons).filter((reason) => !page.includes(`| \`${reason}\` |`))).toEqual([]);
});
