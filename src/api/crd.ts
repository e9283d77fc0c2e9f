import * as z from 'zod';
import { GROUP, VERSION, type ResourceDefinition } from './resource.ts';

/** A node of an OpenAPI schema, as far as this module looks into it. */
export type Schema = Record<string, unknown>;

/** The CustomResourceDefinition for `resource`, ready to be written as YAML. */
export function toCrd(resource: ResourceDefinition) {
  const { kind, plural, shortNames, categories } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: resource.scope,
      names: {
        kind,
        plural,
        singular: kind.toLowerCase(),
        listKind: `${kind}List`,
        ...(shortNames && { shortNames }),
        categories,
      },
      versions: [versionOf(resource)],
    },
  };
}

function versionOf(resource: ResourceDefinition) {
  const spec = structuralSchema(resource.spec);
  const status = structuralSchema(resource.status, { enums: 'open' });
  return {
    name: VERSION,
    served: true,
    storage: true,
    subresources: { status: {}, ...(resource.scale && { scale: resource.scale }) },
    additionalPrinterColumns: resource.columns,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        description: resource.description,
        required: ['spec'],
        ...(resource.rules && { 'x-kubernetes-validations': resource.rules }),
        properties: {
          apiVersion: { type: 'string', description: `Always ${GROUP}/${VERSION}.` },
          kind: { type: 'string', description: `Always ${resource.kind}.` },
          metadata: { type: 'object' },
          spec,
          status,
        },
      },
    },
  };
}

/**
 * Translates a Zod schema into the "structural" subset of OpenAPI that
 * Kubernetes accepts. What cannot be translated faithfully throws here, at
 * generation time, rather than being dropped and surprising a user later.
 */
export function structuralSchema(schema: z.ZodType, { enums = 'closed' }: Options = {}): Schema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input', // `output` would mark defaulted fields as required
    reused: 'inline', // Kubernetes forbids $ref
    override: (visit) => {
      makeStructural(visit);
      if (enums === 'open') openEnum(visit.jsonSchema);
    },
  });
  return json;
}

interface Options {
  readonly enums?: 'closed' | 'open';
}

interface Visit {
  readonly zodSchema: z.core.$ZodTypes;
  readonly jsonSchema: Schema;
  readonly path: (string | number)[];
}

function makeStructural({ zodSchema, jsonSchema, path }: Visit): void {
  const refusal = whyNotStructural(zodSchema);
  if (refusal) throw new Error(`${path.join('.')}: ${refusal}`);
  if (acceptsAnything(zodSchema)) {
    delete jsonSchema['additionalProperties'];
    jsonSchema['x-kubernetes-preserve-unknown-fields'] = true;
  }
  // Without nullable a null inside makes every rule above it fail, and then no update passes any more.
  if (zodSchema._zod.def.type === 'unknown') jsonSchema['nullable'] = true;
  if (jsonSchema['format'] === 'date-time') delete jsonSchema['pattern']; // the API server checks the format itself
  if (jsonSchema['type'] === 'integer') useKubernetesIntegers(jsonSchema);
  delete jsonSchema['propertyNames']; // not part of the structural subset
}

/** The bounds of a safe integer are zod's, not ours; int32 keeps only the bounds that were written. */
function useKubernetesIntegers(jsonSchema: Schema): void {
  const isWide = jsonSchema['maximum'] === Number.MAX_SAFE_INTEGER;
  jsonSchema['format'] = isWide ? 'int64' : 'int32';
  if (isWide || jsonSchema['maximum'] === 2147483647) delete jsonSchema['maximum'];
  if (jsonSchema['minimum'] === Number.MIN_SAFE_INTEGER || jsonSchema['minimum'] === -2147483648)
    delete jsonSchema['minimum'];
}

/** Helm does not upgrade CRDs: an old one must accept the words a newer operator writes into status. */
function openEnum(jsonSchema: Schema): void {
  if (!jsonSchema['enum']) return;
  delete jsonSchema['enum'];
  jsonSchema['maxLength'] = 316;
}

function whyNotStructural({ _zod: { def } }: z.core.$ZodTypes): string | undefined {
  if (def.checks?.some((check) => check._zod.def.check === 'custom')) return 'write a refinement as a CEL rule';
  if (def.type === 'object') return isStrict(def) ? 'the API server prunes unknown fields; use z.object' : undefined;
  return untranslatable[def.type];
}

const untranslatable: Readonly<Record<string, string>> = {
  union: 'write a union as optional fields plus a CEL rule',
  transform: 'the API server cannot run a transform',
  pipe: 'the API server cannot run a transform',
};

const isStrict = ({ catchall }: z.core.$ZodObjectDef) => catchall?._zod.def.type === 'never';

function acceptsAnything({ _zod: { def } }: z.core.$ZodTypes): boolean {
  return def.type === 'unknown' || (def.type === 'object' && def.catchall?._zod.def.type === 'unknown');
}
