import type { AIWorkflow } from '../../../src/api/aiworkflow.ts';
import type { Condition } from '../../../src/api/conditions.ts';
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

/** A condition that a test waits for; any reason will do unless one is given. */
export interface WantedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

/** Runs of one namespace on one task queue. */
export class Runs {
  readonly namespace: string;
  private readonly shared: LocalCluster;
  private readonly clusterName: string;

  /** `clusterName` is that of the operator; an operator of ours is called as its own namespace. */
  constructor(shared: LocalCluster, namespace: string, clusterName = namespace) {
    this.shared = shared;
    this.namespace = namespace;
    this.clusterName = clusterName;
  }

  /** Creates a connection and returns once it is ready; `more` overrides what is usual in its spec. */
  async connect(
    temporalNamespace: string,
    name = 'default',
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const spec = { address: this.shared.temporalAddress, namespace: temporalNamespace, ...more };
    await this.create('temporalconnections', 'TemporalConnection', name, spec);
    await this.untilConnection(name, { type: 'Ready', status: 'True' });
  }

  /** The connection once that condition has that status and reason. */
  untilConnection(name: string, wanted: WantedCondition, ms = 20_000): Promise<Connection> {
    const path = this.path('temporalconnections', name);
    return until(`connection ${name} to be ${inWords(wanted)}`, ms, async () => {
      const connection = await this.shared.api.call<Connection>(path);
      return isAs(connection, wanted) && connection;
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

  async delete(name: string, plural = 'aiworkflows'): Promise<void> {
    await this.shared.api.call(this.path(plural, name), { method: 'DELETE' });
  }

  /** The condition of any of our objects, once it has that status and reason. */
  untilCondition(plural: string, name: string, wanted: WantedCondition, ms = 20_000): Promise<Condition> {
    return until(`${name} to be ${inWords(wanted)}`, ms, async () => {
      const object = await this.shared.api.call<WithConditions>(this.path(plural, name));
      return isAs(object, wanted) && conditionOf(object, wanted.type);
    });
  }

  /** The run once that condition has that status and reason. */
  until(name: string, wanted: WantedCondition, ms = 30_000): Promise<AIWorkflow> {
    return until(`${name} to be ${inWords(wanted)}`, ms, async () => {
      const run = await this.get(name);
      return isAs(run, wanted) && run;
    });
  }

  /** The run once it has started. */
  untilStarted(name: string, ms?: number): Promise<AIWorkflow> {
    return this.until(name, { type: 'Ready', status: 'True', reason: 'Started' }, ms);
  }

  /** The run once it has ended that way. */
  untilFinished(name: string, reason = 'Succeeded', ms?: number): Promise<AIWorkflow> {
    return this.until(name, { type: 'Finished', status: 'True', reason }, ms);
  }

  /** The ID of a run that does not name one. */
  workflowID(name: string): string {
    return `${this.clusterName}/${this.namespace}/${name}`;
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

  async create(plural: string, kind: string, name: string, spec: object): Promise<void> {
    const body = { apiVersion: 'aiworkflow.dev/v1alpha1', kind, metadata: { name }, spec };
    await this.shared.api.call(this.path(plural), { method: 'POST', body });
  }

  path(plural: string, name?: string): string {
    const collection = `/apis/aiworkflow.dev/v1alpha1/namespaces/${this.namespace}/${plural}`;
    return name === undefined ? collection : `${collection}/${name}`;
  }
}

/** Any of our objects, as far as conditions go. */
interface WithConditions {
  readonly status: { readonly conditions?: readonly Condition[] | undefined };
}

/** The condition of that type. */
export function conditionOf({ status }: WithConditions, type: string): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

function isAs(resource: WithConditions, { type, status, reason }: WantedCondition): boolean {
  const condition = conditionOf(resource, type);
  return condition?.status === status && (reason ?? condition.reason) === condition.reason;
}

const inWords = ({ type, status, reason }: WantedCondition) => `${type}=${status} ${reason ?? ''}`.trim();
