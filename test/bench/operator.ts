import type { AIWorkflow } from '../../src/api/aiworkflow.ts';
import { isTrue } from '../../src/api/conditions.ts';
import { Runs } from '../integration/operator/runs.ts';
import { startOperator } from '../integration/operator/process.ts';
import type { Bench } from './main.ts';
import { inFlight, Stopwatch, type Figures } from './stopwatch.ts';

const longestMs = 300_000;

/** The operator, as a process of this machine, at the same work as the bare script. */
export async function operatorFigures(bench: Bench, namespace: string): Promise<Figures> {
  const operator = await startOperator(bench.cluster, namespace);
  const watch = new Stopwatch();
  const final = new Map<string, () => void>();
  const stop = new AbortController();
  try {
    await new Runs(bench.cluster, namespace).connect(bench.temporalNamespace);
    const watching = follow(bench, { namespace, watch, final }, stop.signal);
    await inFlight(bench.names, bench.inFlight, async (name) => {
      const ended = new Promise<void>((resolve) => final.set(name, resolve));
      watch.applied(name);
      await bench.cluster.api.call(collection(namespace), { method: 'POST', body: bench.manifest(name) });
      await Promise.race([ended, watching]);
    });
    return watch.figures();
  } finally {
    stop.abort();
    await operator.kill('SIGTERM');
  }
}

interface Followed {
  readonly namespace: string;
  readonly watch: Stopwatch;
  readonly final: Map<string, () => void>;
}

/** Sees what a user who watches would see. Fails when it takes too long. */
async function follow(bench: Bench, followed: Followed, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(longestMs)]);
  const path = `${collection(followed.namespace)}?watch=true`;
  try {
    for await (const { object } of bench.cluster.api.watch<AIWorkflow>(path, signal)) note(object, followed);
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}

function note({ metadata: { name }, status }: AIWorkflow, { watch, final }: Followed): void {
  if (status.temporal?.runID !== undefined) watch.started(name);
  if (!isTrue(status.conditions, 'Finished')) return;
  watch.final(name);
  final.get(name)?.();
}

function collection(namespace: string): string {
  return `/apis/aiworkflow.dev/v1alpha1/namespaces/${namespace}/aiworkflows`;
}
