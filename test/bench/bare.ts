import { Connection } from '@temporalio/client';
import { defaultPayloadConverter, toPayloads } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { Bench } from './main.ts';
import { inFlight, Stopwatch, type Figures } from './stopwatch.ts';

const { HistoryEventFilterType } = proto.temporal.api.enums.v1;
const prefix = 'bare';

/**
 * The ceiling: a script that makes the calls which every run needs, and nothing else. It keeps no cache, no queue and no
 * promise: killed in the middle, it loses runs.
 */
export async function bareFigures(bench: Bench, namespace: string): Promise<Figures> {
  const temporal = await Connection.connect({ address: bench.cluster.temporalAddress });
  const watch = new Stopwatch();
  try {
    await inFlight(bench.names, bench.inFlight, (name) => runOne({ bench, namespace, temporal, watch }, name));
    return watch.figures();
  } finally {
    await temporal.close();
  }
}

interface Place {
  readonly bench: Bench;
  readonly namespace: string;
  readonly temporal: Connection;
  readonly watch: Stopwatch;
}

async function runOne({ bench, namespace, temporal, watch }: Place, name: string): Promise<void> {
  const { api } = bench.cluster;
  const collection = `/apis/aiworkflow.dev/v1alpha1/namespaces/${namespace}/aiworkflows`;
  const patch = (body: unknown, subresource = '') =>
    api.call(`${collection}/${name}${subresource}`, { method: 'PATCH', body });
  watch.applied(name);
  await api.call(collection, { method: 'POST', body: bench.manifest(name) });
  await patch({ metadata: { finalizers: ['bench.dev/run'] } });
  const execution = { workflowId: `${prefix}/${namespace}/${name}`, runId: '' };
  await temporal.workflowService.startWorkflowExecution({
    ...{ namespace: bench.temporalNamespace, workflowId: execution.workflowId, requestId: crypto.randomUUID() },
    ...{ workflowType: { name: bench.workflowType }, taskQueue: { name: bench.taskQueue } },
    input: { payloads: toPayloads(defaultPayloadConverter, name) ?? [] },
  });
  await patch({ status: { observedGeneration: 1, phase: 'Running' } }, '/status');
  watch.started(name);
  const result = await closeOf({ bench, temporal }, execution);
  await patch({ status: { observedGeneration: 1, phase: 'Succeeded', result } }, '/status');
  watch.final(name);
  await patch({ metadata: { finalizers: [] } });
}

/** Waits for the close event, and reads the result from it. */
async function closeOf(
  { bench, temporal }: Pick<Place, 'bench' | 'temporal'>,
  execution: { readonly workflowId: string; readonly runId: string },
): Promise<unknown> {
  for (;;) {
    const { history } = await temporal.workflowService.getWorkflowExecutionHistory({
      ...{ namespace: bench.temporalNamespace, execution, waitNewEvent: true },
      historyEventFilterType: HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
    });
    const closed = history?.events?.[0]?.workflowExecutionCompletedEventAttributes;
    const [payload] = closed?.result?.payloads ?? [];
    if (payload) return defaultPayloadConverter.fromPayload(payload);
  }
}
