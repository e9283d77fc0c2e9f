import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { run } from '../../cluster/command.ts';
import { repository } from '../../cluster/places.ts';
import { kubectlAndHelm } from '../../cluster/programs-kubectl.ts';

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

/** What Helm makes of a chart with these values, hooks included. Fails with Helm's own words. */
export async function render(chart: string, values: object = {}): Promise<Rendered[]> {
  const { helm } = await kubectlAndHelm();
  const args = ['template', 'aiworkflow', chartFolder(chart), '--namespace', 'ops', '--values', '-'];
  return loadAll(await run(helm, args, { input: JSON.stringify(values) })).filter(Boolean) as Rendered[];
}

export async function lint(chart: string): Promise<string> {
  const { helm } = await kubectlAndHelm();
  return run(helm, ['lint', '--strict', chartFolder(chart)]);
}

export function ofKind(objects: readonly Rendered[], ...kinds: readonly string[]): Rendered[] {
  return objects.filter(({ kind }) => kinds.includes(kind));
}

/** The rules of every role among the objects, flat. */
export function rulesOf(objects: readonly Rendered[]): PolicyRule[] {
  return ofKind(objects, 'Role', 'ClusterRole').flatMap((role) => (role as unknown as { rules: PolicyRule[] }).rules);
}
