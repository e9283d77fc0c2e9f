import { setTimeout as pause } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import type { Link, Service } from './connection.ts';
import { grpcCode, isTransient, temporalError, type GrpcCode } from './errors.ts';

/** What calls wait for, most urgent first. */
export type Priority = 'start' | 'control' | 'completion' | 'statistics';

/** Limits how fast one Temporal namespace is called. */
export interface Budget {
  /** Resolves when one call may be made; those of higher priority go first. Rejects when `signal` is aborted. */
  take(priority: Priority, signal: AbortSignal): Promise<void>;
  /** Limits queries of the visibility store besides, for which servers have a limit of their own; absent: nothing does. */
  readonly queries?: Budget | undefined;
}

/** The calls that this operator makes. */
export type Method =
  | 'describeNamespace'
  | 'describeTaskQueue'
  | 'describeWorkflowExecution'
  | 'getClusterInfo'
  | 'getSystemInfo'
  | 'getWorkflowExecutionHistoryReverse'
  | 'listWorkers'
  | 'listWorkflowExecutions'
  | 'requestCancelWorkflowExecution'
  | 'startWorkflowExecution'
  | 'terminateWorkflowExecution';

export type RequestOf<M extends Method> = Parameters<Service[M]>[0];
export type ResponseOf<M extends Method> = Awaited<ReturnType<Service[M]>>;

/** One attempt of one call, as metrics count it. */
export type OnCall = (call: {
  readonly method: Method;
  readonly code: GrpcCode;
  readonly namespace: string;
  readonly ms: number;
}) => void;

export interface CallOptions {
  /** Completes "Could not …", for people. */
  readonly what: string;
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
  /** For all attempts and the waiting between them. */
  readonly deadlineMs?: number | undefined;
}

/** A call and what it goes through. */
export interface Call<M extends Method> {
  readonly method: M;
  readonly request: RequestOf<M>;
  readonly namespace: string;
  readonly budget: Budget;
  /** The connection to use now. */
  readonly link: () => Link;
  readonly onCall: OnCall | undefined;
}

const DEADLINE_MS = 10_000;
/** The library's own default tries for minutes; whoever calls us retries too, and can say that Temporal is away meanwhile. */
const MAX_ATTEMPTS = 3;
const GIVEN_UP = 'it was given up';
const never = new AbortController().signal;
const PAUSE_MS = { first: 100, exhausted: 1_000 };

/** Makes a call: waits for the budget, tries, tries again where that may help. Throws an OperatorError. */
export async function attemptCall<M extends Method>(call: Call<M>, options: CallOptions): Promise<ResponseOf<M>> {
  await turnToQuery(call, options);
  const scope = new Scope(options.signal, options.deadlineMs ?? DEADLINE_MS);
  try {
    return await attemptRepeatedly(call, options, scope);
  } finally {
    scope.end();
  }
}

/** However many connections share a Temporal namespace, their queries come later and do not fail: so before the deadline begins. */
async function turnToQuery({ method, budget }: Call<Method>, { what, priority, signal = never }: CallOptions) {
  if (method !== 'listWorkflowExecutions') return;
  await budget.queries?.take(priority, signal).catch(() => {
    throw unavailable(what, GIVEN_UP);
  });
}

async function attemptRepeatedly<M extends Method>(
  call: Call<M>,
  options: CallOptions,
  scope: Scope,
): Promise<ResponseOf<M>> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(call, options, scope);
    if ('response' in outcome) return outcome.response;
    const { thrown } = outcome;
    const mayHelp = attempt < MAX_ATTEMPTS && isTransient(thrown) && (await scope.wait(pauseMs(attempt, thrown)));
    if (!mayHelp) throw temporalError(options.what, thrown);
  }
}

type Outcome<M extends Method> = { readonly response: ResponseOf<M> } | { readonly thrown: unknown };

async function attemptOnce<M extends Method>(
  call: Call<M>,
  { what, priority }: CallOptions,
  scope: Scope,
): Promise<Outcome<M>> {
  await call.budget.take(priority, scope.signal).catch((cause: unknown) => {
    throw scope.problem(what) ?? temporalError(what, cause);
  });
  const tooLate = scope.problem(what);
  if (tooLate) throw tooLate;
  const link = call.link();
  const startedAt = performance.now();
  const tell = (code: GrpcCode) =>
    call.onCall?.({ method: call.method, code, namespace: call.namespace, ms: performance.now() - startedAt });
  try {
    const response = await link.run(scope, (service) => invoke(service, call.method, call.request));
    tell('OK');
    return { response };
  } catch (thrown) {
    tell(grpcCode(thrown) ?? 'UNKNOWN');
    return { thrown };
  }
}

/** TypeScript cannot see that a union of methods and the union of their requests belong together. */
function invoke<M extends Method>(service: Service, method: M, request: RequestOf<M>): Promise<ResponseOf<M>> {
  const call = service[method] as unknown as (request: RequestOf<M>) => Promise<ResponseOf<M>>;
  return call.call(service, request);
}

function pauseMs(attempt: number, thrown: unknown): number {
  const base = grpcCode(thrown) === 'RESOURCE_EXHAUSTED' ? PAUSE_MS.exhausted : PAUSE_MS.first;
  return base * 2 ** (attempt - 1) * (0.8 + 0.4 * Math.random());
}

/** How long a call may take: until its deadline, or until its caller gives up. */
class Scope {
  readonly deadline: number;
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly parent: AbortSignal | undefined;
  private readonly giveUp = () => this.controller.abort(this.parent?.reason);

  constructor(parent: AbortSignal | undefined, deadlineMs: number) {
    this.deadline = Date.now() + deadlineMs;
    this.signal = this.controller.signal;
    this.parent = parent;
    // A little later than gRPC's own deadline, whose error says more.
    this.timer = setTimeout(this.giveUp, deadlineMs + 250);
    if (parent?.aborted) this.giveUp();
    parent?.addEventListener('abort', this.giveUp, { once: true });
  }

  /** Waits; false at once where the scope ends before the wait would. */
  async wait(ms: number): Promise<boolean> {
    if (Date.now() + ms >= this.deadline) return false;
    return pause(ms, true, { signal: this.signal }).catch(() => false);
  }

  /** Why a call cannot be made any more. */
  problem(what: string): OperatorError | undefined {
    if (!this.signal.aborted) return undefined;
    return unavailable(what, this.parent?.aborted ? GIVEN_UP : 'too many calls to this Temporal namespace are waiting');
  }

  /** A caller's signal lives as long as the process: leave nothing behind on it. */
  end(): void {
    clearTimeout(this.timer);
    this.parent?.removeEventListener('abort', this.giveUp);
  }
}

const unavailable = (what: string, why: string) =>
  new OperatorError('TemporalUnavailable', `Could not ${what}: ${why}`, { retry: 'backoff' });
