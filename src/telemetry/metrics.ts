import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const perWorker = ['namespace', 'worker'];

/** All figures of the process. Names and labels are a contract with whoever has built a dashboard on them. */
export class Metrics {
  readonly registry = new Registry();
  readonly temporalCalls = this.counter('temporal_calls_total', 'Calls to Temporal', ['method', 'code', 'namespace']);
  readonly temporalSeconds = this.histogram('temporal_call_seconds', 'Duration of calls to Temporal', ['method']);
  readonly kubeCalls = this.counter('kube_calls_total', 'Calls to the Kubernetes API', ['verb', 'resource', 'code']);
  readonly kubeSeconds = this.histogram('kube_call_seconds', 'Duration of calls to the Kubernetes API', ['verb']);
  readonly passes = this.counter('passes_total', 'Passes over resources, by how they ended', ['controller', 'result']);
  readonly passSeconds = this.histogram('pass_seconds', 'Duration of passes', ['controller']);
  readonly queueDepth = this.gauge('queue_depth', 'Resources that are due and wait for a pass', ['controller']);
  readonly queueSeconds = this.histogram('queue_wait_seconds', 'How long they wait', ['controller', 'priority']);
  readonly cacheEvents = this.counter('cache_events_total', 'Lists, watches and their failures', [
    'collection',
    'event',
  ]);
  readonly leader = this.gauge('leader', '1 while this process leads', []);
  readonly trackedRuns = this.gauge('tracked_runs', 'Live runs that are followed', ['connection']);
  readonly workerBacklog = this.gauge('worker_backlog', 'Tasks that wait on the queue of a Worker', perWorker);
  readonly workerBacklogAge = this.gauge('worker_backlog_age_seconds', 'Age of the oldest of them', perWorker);
  readonly workerBusySlots = this.gauge('worker_busy_slots', 'Slots of the pool that work', perWorker);
  readonly workerDesiredReplicas = this.gauge('worker_desired_replicas', 'Replicas that the work needs', perWorker);
  readonly workerReplicas = this.gauge('worker_replicas', 'Pods of the pool', perWorker);
  readonly workerScaleInMisses = this.gauge(
    'worker_scale_in_misses',
    'Busy pods that went although idle ones were there, since this process leads',
    perWorker,
  );
  private readonly sources = new Set<() => void>();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Calls `read` whenever somebody asks for the figures: for those that are cheaper to look up than to keep. Returns how to stop. */
  onScrape(read: () => void): () => void {
    this.sources.add(read);
    return () => void this.sources.delete(read);
  }

  /** All figures as of now, in the text format of Prometheus. */
  async page(): Promise<string> {
    for (const read of this.sources) read();
    return this.registry.metrics();
  }

  private counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `aiworkflow_${name}`, help, labelNames, registers: [this.registry] });
  }

  private gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name: `aiworkflow_${name}`, help, labelNames, registers: [this.registry] });
  }

  private histogram<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    const options = { name: `aiworkflow_${name}`, help, labelNames, buckets: secondsBuckets };
    return new Histogram({ ...options, registers: [this.registry] });
  }
}
