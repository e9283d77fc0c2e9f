import { mkdirSync, writeFileSync } from 'node:fs';
import { dump } from 'js-yaml';
import { toCrd } from './crd.ts';
import { kinds } from './kinds.ts';
import { toReference } from './reference.ts';
import { GROUP } from './resource.ts';

/** Writes `crds/`: one CRD a kind, and the field reference. The only file of `api/` with effects; `make generate` runs it. */
const folder = new URL('../../crds/', import.meta.url);

mkdirSync(folder, { recursive: true });
for (const kind of kinds) {
  const yaml = dump(toCrd(kind), { lineWidth: 160, noRefs: true });
  writeFileSync(
    new URL(`${GROUP}_${kind.plural}.yaml`, folder),
    `# Generated from src/api by \`make generate\`; do not edit.\n${yaml}`,
  );
}
writeFileSync(new URL('README.md', folder), toReference(kinds));
