import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import { run } from '../test/cluster/command.ts';
import { kubectlAndHelm } from '../test/cluster/programs-kubectl.ts';

/**
 * `make generate` runs it: writes what the charts have from elsewhere (the CRDs, the version) and what is made from the
 * charts (plain manifests). With the argument `package`, packs both charts into `dist/` instead.
 */
const root = resolve(import.meta.dirname, '..');
const charts = ['aiworkflow-crds', 'aiworkflow-operator'] as const;
const { helm } = await kubectlAndHelm();

if (process.argv[2] === 'package') {
  await run(helm, ['package', ...charts.map(folderOf), '--destination', join(root, 'dist')]);
} else {
  charts.forEach(writeVersion);
  writeCrdTemplates();
  await writeManifests('deploy/crds.yaml', ['aiworkflow-crds', folderOf('aiworkflow-crds')], []);
  const operator = ['aiworkflow', folderOf('aiworkflow-operator')];
  await writeManifests('deploy/operator.yaml', operator, [namespace('aiworkflow-system')]);
}

function folderOf(chart: string): string {
  return join(root, 'charts', chart);
}

/** The charts are versioned with the program: package.json says which. */
function writeVersion(chart: string): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const file = join(folderOf(chart), 'Chart.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^((?:appV|v)ersion): .*$/gm, `$1: ${version}`));
}

function writeCrdTemplates(): void {
  const target = join(folderOf('aiworkflow-crds'), 'templates/crds');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const file of readdirSync(join(root, 'crds')).filter((name) => name.endsWith('.yaml'))) {
    writeFileSync(join(target, file), crdTemplate(readFileSync(join(root, 'crds', file), 'utf8')));
  }
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
  const named = literal.replace(/^metadata:\n {2}name: .+\n/m, (found) => found + metadata);
  return `# Generated from crds/ by \`make generate\`; do not edit.\n${named}`;
}

interface Manifest {
  readonly metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
}

/** A chart with its defaults, for those who do not use Helm. The hooks are not in it: nobody would run them. */
async function writeManifests(path: string, args: readonly string[], before: readonly object[]): Promise<void> {
  const flags = ['--namespace', 'aiworkflow-system', '--no-hooks', '--kube-version', '1.36.0'];
  const objects = loadAll(await run(helm, ['template', ...args, ...flags])) as Manifest[];
  objects.forEach(forgetHelm);
  const text = [...before, ...objects].map((object) => dump(object, { lineWidth: 160, noRefs: true })).join('---\n');
  const header =
    '# Generated from charts/ by `make generate`; do not edit. Apply with `kubectl apply --server-side`.\n';
  writeFileSync(join(root, path), header + text);
}

function forgetHelm({ metadata }: Manifest): void {
  delete metadata.labels?.['helm.sh/chart'];
  delete metadata.labels?.['app.kubernetes.io/managed-by'];
  delete metadata.annotations?.['helm.sh/resource-policy'];
  if (metadata.annotations && Object.keys(metadata.annotations).length === 0) delete metadata.annotations;
}

function namespace(name: string): object {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}
