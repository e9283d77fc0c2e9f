import type { Worker } from '../../api/worker.ts';

/** What a pod that works carries, so that nobody ends it who has a choice: the ReplicaSet, the cluster autoscaler, Karpenter. */
const busyMarks: Readonly<Record<string, string>> = {
  'controller.kubernetes.io/pod-deletion-cost': '100',
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
  'karpenter.sh/do-not-disrupt': 'true',
};

/** Whether a pod carries all of the marks. */
export function isGuarded(annotations: Readonly<Record<string, string>>): boolean {
  return Object.entries(busyMarks).every(([name, value]) => annotations[name] === value);
}

/** The annotations to merge into a pod: the marks, or what the template says in their place (null: nothing). */
export function markAnnotations({ spec }: Worker, isBusy: boolean): Readonly<Record<string, string | null>> {
  if (isBusy) return busyMarks;
  const given = spec.template.metadata?.annotations ?? {};
  return Object.fromEntries(Object.keys(busyMarks).map((name) => [name, given[name] ?? null]));
}
