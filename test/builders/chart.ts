import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { LocalCluster } from '../cluster/cluster.ts';
import { run } from '../cluster/command.ts';
import { repository } from '../cluster/places.ts';
import { kubectlAndHelm } from '../cluster/programs-kubectl.ts';

/** A rendered object, as far as these tests read it. */
export interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
}

/** One rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export const chartFolder = (chart: string) => join(repository, 'charts', chart);

/** As whose release a chart is rendered, and where. */
export interface Release {
  readonly name: string;
  readonly namespace: string;
}

const someRelease: Release = { name: 'aiworkflow', namespace: 'ops' };

/** What Helm makes of a chart with these values, hooks included. Fails with Helm's own words. */
export async function render(chart: string, values: object = {}, release = someRelease): Promise<Rendered[]> {
  const { helm } = await kubectlAndHelm();
  const args = ['template', release.name, chartFolder(chart), '--namespace', release.namespace, '--values', '-'];
  return loadAll(await run(helm, args, { input: JSON.stringify(values) })).filter(Boolean) as Rendered[];
}

export async function lint(chart: string): Promise<string> {
  const { helm } = await kubectlAndHelm();
  return run(helm, ['lint', '--strict', chartFolder(chart)]);
}

export function ofKind(objects: readonly Rendered[], ...kinds: readonly string[]): Rendered[] {
  return objects.filter(({ kind }) => kinds.includes(kind));
}

/**
 * Gives the ServiceAccounts of the operator's chart exactly the rights that the chart gives them, those of its hooks
 * included, and returns the kubeconfig of the one named: by default the operator's own. Cluster-wide rights belong to
 * the release that took them last, as there may be only one.
 */
export async function chartAccount(
  shared: LocalCluster,
  release: Release,
  values: object = {},
  name = release.name,
): Promise<string> {
  const rbac = ['ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'];
  const objects = ofKind(await render('aiworkflow-operator', values, release), ...rbac);
  const input = objects.map((object) => JSON.stringify(object)).join('\n');
  await shared.kubectl(['apply', '--server-side', '--force-conflicts', '--filename', '-'], { input });
  return shared.kubeconfigFor({ namespace: release.namespace, name });
}

/** The rules of every role among the objects, flat. */
export function rulesOf(objects: readonly Rendered[]): PolicyRule[] {
  return ofKind(objects, 'Role', 'ClusterRole').flatMap((role) => (role as unknown as { rules: PolicyRule[] }).rules);
}
