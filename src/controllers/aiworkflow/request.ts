import { MAX_RESOURCE_BYTES, type AIWorkflow } from '../../api/aiworkflow.ts';
import type { Connection } from '../../api/connection.ts';
import { defaultConnectionRef, type ConnectionRef } from '../../api/fields.ts';
import type { Reason } from '../../api/reasons.ts';
import type { Worker } from '../../api/worker.ts';
import { identityOf, workflowIDProblem } from './identity.ts';
import { jsonBytes, type KeptRun } from './kept.ts';
import type { Objection, StartRequest } from './observed.ts';

/**
 * The connection of a run: the one that it was started through; before that its own, else that of its Worker, else the
 * default one of the namespace. A Worker may be changed or deleted while its runs live.
 */
export function connectionRefOf(run: AIWorkflow, worker: Worker | undefined): ConnectionRef {
  return pinnedRef(run) ?? run.spec.connectionRef ?? worker?.spec.connectionRef ?? defaultConnectionRef;
}

/** The connection that a run was started through; undefined before its start. */
export function pinnedRef({ status }: AIWorkflow): ConnectionRef | undefined {
  const { kind, name } = status.temporal?.connectionRef ?? {};
  if (name === undefined) return undefined;
  return { kind: kind === 'ClusterTemporalConnection' ? kind : 'TemporalConnection', name };
}

/** What Temporal takes as the arguments of a start, in bytes, unless its administrators have set another limit. */
export const MAX_ARGUMENTS_BYTES = 2 * 1024 * 1024;

/** What a start is made of, besides the resource itself. */
export interface Surroundings {
  readonly clusterName: string;
  /** The Worker of workerRef, where there is one. */
  readonly worker?: Worker | undefined;
  readonly connection:
    | { readonly isUsable: true; readonly connection: Connection }
    | { readonly isUsable: false; readonly reason: Reason; readonly message: string };
  /** The values of argsFrom, in order. */
  readonly argsFrom: readonly unknown[] | Objection;
}

type Check = (resource: KeptRun, around: Surroundings) => Objection | undefined;

/** Asked in order; the first objection wins, so the most basic comes first. */
const checks: readonly Check[] = [
  spec,
  size,
  worker,
  sameConnection,
  connection,
  workflowID,
  allowed,
  argsFrom,
  argumentsSize,
];

/** What to start, or why nothing can be started now; without the arguments that a kept run lacks. Pure. */
export function startRequestOf(resource: KeptRun, around: Surroundings): StartRequest | Objection {
  for (const check of checks) {
    const objection = check(resource, around);
    if (objection) return objection;
  }
  const { workflow } = resource.spec;
  return {
    workflowID: identityOf(resource, around.clusterName).workflowID,
    type: workflow.type,
    taskQueue: queueOf(resource, around),
    args: [...(workflow.args ?? []), ...(around.argsFrom as readonly unknown[])],
    isShared: isShared(around),
  };
}

function spec({ problem }: { readonly problem?: string }): Objection | undefined {
  return problem === undefined ? undefined : { reason: 'InvalidSpec', message: problem, needsChange: true };
}

function size({ spec, specBytes }: KeptRun): Objection | undefined {
  const bytes = specBytes ?? jsonBytes(spec);
  if (bytes === undefined) {
    return { reason: 'InvalidSpec', message: 'spec.workflow.args: nested too deeply to be encoded', needsChange: true };
  }
  if (bytes <= MAX_RESOURCE_BYTES) return undefined;
  const message = `The spec has ${bytes} bytes as JSON, more than the ${MAX_RESOURCE_BYTES} that are accepted; pass references to large data`;
  return { reason: 'TooLarge', message, needsChange: true };
}

function worker({ spec: { workflow } }: AIWorkflow, around: Surroundings): Objection | undefined {
  if (!workflow.workerRef || around.worker) return undefined;
  const message = `spec.workflow.workerRef: there is no Worker named ${workflow.workerRef.name}`;
  return { reason: 'WorkerNotFound', message, needsChange: false };
}

function sameConnection({ spec: { connectionRef } }: AIWorkflow, around: Surroundings): Objection | undefined {
  if (!connectionRef || !around.worker) return undefined;
  const theirs = around.worker.spec.connectionRef ?? defaultConnectionRef;
  if (theirs.kind === connectionRef.kind && theirs.name === connectionRef.name) return undefined;
  const message = `spec.connectionRef: ${connectionRef.kind} ${connectionRef.name} differs from the Worker's ${theirs.kind} ${theirs.name}`;
  return { reason: 'ConnectionMismatch', message, needsChange: true };
}

function connection(_: AIWorkflow, around: Surroundings): Objection | undefined {
  if (around.connection.isUsable) return undefined;
  const { reason, message } = around.connection;
  return { reason, message, needsChange: false };
}

function workflowID(resource: AIWorkflow, around: Surroundings): Objection | undefined {
  const { clusterName } = around;
  const where = { clusterName, namespace: resource.metadata.namespace ?? '', isShared: isShared(around) };
  const problem = workflowIDProblem(identityOf(resource, clusterName), where);
  return problem && { ...problem, needsChange: true };
}

function allowed(resource: AIWorkflow, around: Surroundings): Objection | undefined {
  const limits = around.connection.isUsable ? around.connection.connection.spec.allowed : undefined;
  const { type } = resource.spec.workflow;
  if (!matches(limits?.workflowTypes, type)) return notAllowed('spec.workflow.type', `workflow type ${type}`);
  const taskQueue = queueOf(resource, around);
  if (!matches(limits?.taskQueues, taskQueue)) return notAllowed('spec.workflow.taskQueue', `task queue ${taskQueue}`);
  return undefined;
}

function notAllowed(path: string, what: string): Objection {
  return { reason: 'NotAllowed', message: `${path}: the connection does not allow ${what}`, needsChange: true };
}

function matches(patterns: readonly string[] | undefined, name: string): boolean {
  if (!patterns || patterns.length === 0) return true;
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

function argsFrom(_: AIWorkflow, around: Surroundings): Objection | undefined {
  return 'reason' in around.argsFrom ? around.argsFrom : undefined;
}

/** What the spec alone holds is smaller. What a ConfigMap holds may change, and then the run goes on by itself. */
function argumentsSize({ spec: { workflow } }: KeptRun, { argsFrom }: Surroundings): Objection | undefined {
  if ('reason' in argsFrom || argsFrom.length === 0) return undefined;
  const bytes = jsonBytes([...(workflow.args ?? []), ...argsFrom]);
  if (bytes === undefined) {
    const message = 'spec.workflow.argsFrom: nested too deeply to be encoded';
    return { reason: 'InvalidArgument', message, needsChange: false };
  }
  if (bytes <= MAX_ARGUMENTS_BYTES) return undefined;
  const message = `spec.workflow.argsFrom: the arguments have ${bytes} bytes as JSON, more than the ${MAX_ARGUMENTS_BYTES} that Temporal takes; pass references to large data`;
  return { reason: 'TooLarge', message, needsChange: false };
}

const queueOf = ({ spec: { workflow } }: AIWorkflow, around: Surroundings) =>
  workflow.taskQueue ?? around.worker?.spec.taskQueue ?? '';

const isShared = ({ connection: { isUsable, ...rest } }: Surroundings) =>
  isUsable && 'connection' in rest && rest.connection.kind === 'ClusterTemporalConnection';
