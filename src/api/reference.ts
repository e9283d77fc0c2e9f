import { structuralSchema, type Schema } from './crd.ts';
import { reasons } from './reasons.ts';
import { GROUP, VERSION, type ResourceDefinition, type Rule } from './resource.ts';

/** The Markdown reference of all kinds, from the schemas their CRDs are made from. */
export function toReference(resources: readonly ResourceDefinition[]): string {
  return [
    '# API reference',
    '',
    `Generated from \`src/api\` by \`make generate\`. Group \`${GROUP}\`, version \`${VERSION}\`.`,
    '',
    ...resources.map(toMarkdown),
    reasonTable(),
  ].join('\n');
}

function toMarkdown(resource: ResourceDefinition): string {
  const spec = structuralSchema(resource.spec);
  const rows = [...fields('spec', spec), ...fields('status', structuralSchema(resource.status, { enums: 'open' }))];
  const rules = [...(resource.rules ?? []), ...rulesIn(spec)];
  return [
    `## ${resource.kind}`,
    '',
    `${resource.description} ${resource.scope === 'Cluster' ? 'Cluster-scoped.' : 'Namespaced.'}`,
    '',
    '| Field | Type | Default | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    'Rules that the API server enforces:',
    '',
    ...[...new Set(rules.map(({ message }) => `* ${message}`))],
    '',
  ].join('\n');
}

function* fields(path: string, schema: Schema): Generator<string> {
  for (const [name, field] of Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)) {
    const here = `${path}.${name}`;
    const items = field['items'] as Schema | undefined;
    const required = (schema['required'] as string[] | undefined)?.includes(name);
    yield `| \`${here}\` | ${typeOf(field)} | ${required ? '**required**' : code(field['default'])} | ${describe(field)} |`;
    yield* fields(items ? `${here}[]` : here, items ?? field);
  }
}

function typeOf(field: Schema): string {
  const { type, enum: words, items } = field as { type?: string; enum?: string[]; items?: Schema };
  if (words) return words.map((word) => `\`${word}\``).join(', ');
  if (items) return `list of ${(items['type'] as string | undefined) ?? 'any'}`;
  return type ?? 'any';
}

function describe(field: Schema): string {
  return String(field['description']).replaceAll('|', '\\|');
}

function* rulesIn(schema: Schema): Generator<Rule> {
  yield* (schema['x-kubernetes-validations'] as Rule[] | undefined) ?? [];
  for (const child of Object.values((schema['properties'] ?? {}) as Record<string, Schema>)) yield* rulesIn(child);
  if (schema['items']) yield* rulesIn(schema['items'] as Schema);
}

function reasonTable(): string {
  const rows = Object.entries(reasons).map(([reason, when]) => `| \`${reason}\` | ${when} |`);
  return [
    '## Reasons',
    '',
    'Of conditions, Events and log lines.',
    '',
    '| Reason | When |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const code = (value: unknown) => (value === undefined ? '' : `\`${JSON.stringify(value)}\``);
