import type { Narrator } from './narrator.ts';
import { demoNamespace, operatorNamespace } from './stage.ts';
import type { Stage } from './stage.ts';

const usual = ['--hide-notes', '--wait', '--timeout=180s'];

/** Installs the two charts, or upgrades them, and makes the demo's namespace. */
export async function install({ tools, values, afterInstall }: Stage, narrator: Narrator): Promise<void> {
  narrator.chapter('The operator, by Helm');
  const kinds = ['upgrade', '--install', 'aiworkflow-crds', 'charts/aiworkflow-crds'];
  await narrator.run('helm', [...kinds, `--set=operatorNamespace=${operatorNamespace}`, ...at, ...usual]);
  const sets = Object.entries(values).map(([name, value]) => `--set=${name}=${value}`);
  await narrator.run('helm', [
    'upgrade',
    '--install',
    'aiworkflow',
    'charts/aiworkflow-operator',
    ...sets,
    ...at,
    ...usual,
  ]);
  await afterInstall?.();
  await narrator.run('kubectl', ['get', 'deployments,pods', '--namespace', operatorNamespace]);
  await tools.kubectl(['apply', '--filename=-'], { input: JSON.stringify(namespace) });
}

const at = ['--namespace', operatorNamespace, '--create-namespace'];

// Restricted: the example's pods need no more.
const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: demoNamespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};
