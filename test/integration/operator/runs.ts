import type { AIWorkflow } from '../../../src/api/aiworkflow.ts';
import type { Connection } from '../../../src/api/connection.ts';
import type { AuditEvent } from '../../cluster/audit.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { until } from '../../cluster/poll.ts';

/** What a test says of a run; the rest is usual. */
export interface RunSpec {
  readonly type: string;
  readonly args?: readonly unknown[];
  readonly [field: string]: unknown;
}

/** Runs of one namespace on one task queue. */
export class Runs {
  readonly namespace: string;
  private readonly shared: LocalCluster;

  constructor(shared: LocalCluster, namespace: string) {
    this.shared = shared;
    this.namespace = namespace;
  }

  /** Creates a connection and returns once it is ready. */
  async connect(temporalNamespace: string, name = 'default'): Promise<void> {
    const spec = { address: this.shared.temporalAddress, namespace: temporalNamespace };
    await this.create('temporalconnections', 'TemporalConnection', name, spec);
    await until(`connection ${name} to be ready`, 20_000, async () => {
      const { status } = await this.shared.api.call<Connection>(this.path('temporalconnections', name));
      return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    });
  }

  /** Creates a run on the queue `queue`; `more` goes beside `spec.workflow`. */
  async apply(name: string, workflow: RunSpec, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const spec = { workflow: { taskQueue: 'queue', ...workflow }, ...more };
    await this.create('aiworkflows', 'AIWorkflow', name, spec);
  }

  get(name: string): Promise<AIWorkflow> {
    return this.shared.api.call<AIWorkflow>(this.path('aiworkflows', name));
  }

  async list(): Promise<readonly AIWorkflow[]> {
    const { items } = await this.shared.api.call<{ items: AIWorkflow[] }>(this.path('aiworkflows'));
    return items;
  }

  async delete(name: string): Promise<void> {
    await this.shared.api.call(this.path('aiworkflows', name), { method: 'DELETE' });
  }

  /** The run once that condition has that status and reason. */
  until(name: string, wanted: { type: string; status: string; reason?: string }, ms = 30_000): Promise<AIWorkflow> {
    return until(`${name} to be ${wanted.type}=${wanted.status} ${wanted.reason ?? ''}`, ms, async () => {
      const run = await this.get(name);
      const condition = run.status.conditions?.find(({ type }) => type === wanted.type);
      const isRight = condition?.status === wanted.status && (wanted.reason ?? condition.reason) === condition.reason;
      return isRight && run;
    });
  }

  async untilGone(name: string, ms = 30_000): Promise<void> {
    await until(
      `${name} to be gone`,
      ms,
      async () => !(await this.list()).some(({ metadata }) => metadata.name === name),
    );
  }

  /** Writes on a run and its subresources so far, the user's included. */
  async writes(name: string): Promise<number> {
    return (await this.writesOfAll()).get(name) ?? 0;
  }

  /** The same for all runs of the namespace, by name. */
  async writesOfAll(): Promise<ReadonlyMap<string, number>> {
    const writes = new Map<string, number>();
    const events = await this.shared.auditEvents();
    for (const { objectRef } of events.filter((event) => this.isWrite(event))) {
      const name = objectRef?.name ?? '';
      writes.set(name, (writes.get(name) ?? 0) + 1);
    }
    return writes;
  }

  private isWrite({ objectRef, responseStatus }: AuditEvent): boolean {
    const isOurs = objectRef?.resource === 'aiworkflows' && objectRef.namespace === this.namespace;
    return isOurs && (responseStatus?.code ?? 0) < 300;
  }

  private async create(plural: string, kind: string, name: string, spec: object): Promise<void> {
    const body = { apiVersion: 'aiworkflow.dev/v1alpha1', kind, metadata: { name }, spec };
    await this.shared.api.call(this.path(plural), { method: 'POST', body });
  }

  private path(plural: string, name?: string): string {
    const collection = `/apis/aiworkflow.dev/v1alpha1/namespaces/${this.namespace}/${plural}`;
    return name === undefined ? collection : `${collection}/${name}`;
  }
}
