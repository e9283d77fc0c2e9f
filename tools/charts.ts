import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Writes what the charts have from elsewhere: the CRDs, as templates that `helm uninstall` keeps. `make generate` runs it. */
const root = resolve(import.meta.dirname, '..');
const header = '# Generated from crds/ by `make generate`; do not edit.\n';

writeCrdTemplates();

function writeCrdTemplates(): void {
  const target = join(root, 'charts/aiworkflow-crds/templates/crds');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const file of crdFiles()) {
    writeFileSync(join(target, file), header + crdTemplate(readFileSync(join(root, 'crds', file), 'utf8')));
  }
}

function crdFiles(): string[] {
  return readdirSync(join(root, 'crds')).filter((file) => file.endsWith('.yaml'));
}

/** A CRD as a template: kept on uninstall (deleting it would delete every run), labelled as the chart's. */
function crdTemplate(yaml: string): string {
  const literal = yaml.replace(/^#.*\n/, '').replaceAll('{{', '{{ "{{" }}');
  const metadata = [
    '  annotations:',
    '    helm.sh/resource-policy: keep',
    '  labels: {{- include "aiworkflow-crds.labels" . | nindent 4 }}',
    '',
  ].join('\n');
  return literal.replace(/^metadata:\n {2}name: .+\n/m, (found) => found + metadata);
}
