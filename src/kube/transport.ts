import type { Dispatcher } from 'undici';
import { OperatorError } from '../errors.ts';
import { Expired } from '../runtime/ports.ts';
import type { Access, Credentials } from './credentials.ts';
import { codeOf, refused, sentence, unanswered } from './errors.ts';
import { isUntrusted, pauseMs, retryAfterMs, type Outcome } from './retry.ts';
import { Scope } from './scope.ts';

/** What metrics call the operations of the API. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'apply' | 'delete';

/** One attempt of one call, as metrics count it. */
export type OnCall = (call: {
  readonly verb: Verb;
  /** With its subresource, e.g. `workers.aiworkflow.dev/status`. */
  readonly resource: string;
  /** The HTTP status; or, where there was none, `timeout`, `aborted` or the code of the connection's error. */
  readonly code: string;
  readonly ms: number;
}) => void;

/** Once its signal is aborted, or it is not held, nothing must be sent any more, nor go on. */
export interface Fence {
  readonly signal: AbortSignal;
  readonly isHeld: () => boolean;
}

/** One call, ready to be sent. */
export interface Call {
  readonly verb: Verb;
  readonly resource: string;
  /** Completes "Could not …", for people. */
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  /** Doing it twice is as good as doing it once. */
  readonly isRepeatable: boolean;
  /** For all attempts and the pauses between them. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly fence?: Fence | undefined;
}

const DEADLINE_MS = 15_000;
/** The server also takes it for the field manager of writes that name none: whoever takes fields over relies on it. */
const USER_AGENT = 'aiworkflow-operator';

/** Sends calls, repeats those that may be, and gives up in time. Every error is an OperatorError, or Expired for 410. */
export class Transport {
  private readonly credentials: Credentials;
  private readonly onCall: OnCall | undefined;

  constructor(credentials: Credentials, onCall?: OnCall) {
    this.credentials = credentials;
    this.onCall = onCall;
  }

  /** The body of the answer, whose status is 2xx. */
  async send(call: Call): Promise<string> {
    const scope = new Scope([call.signal, call.fence?.signal], call.deadlineMs ?? DEADLINE_MS);
    try {
      return await this.repeat(call, scope);
    } finally {
      scope.end();
    }
  }

  /** The body of the answer piece by piece, until the server ends it. Returns quietly when `signal` is aborted. */
  async *stream(call: Call): AsyncGenerator<Buffer, void, undefined> {
    const scope = new Scope([call.signal, call.fence?.signal], call.deadlineMs ?? DEADLINE_MS);
    try {
      const { outcome, body } = await this.attempt(call, scope, true);
      if (!body) throw failure(call, outcome, scope);
      // However this loop is left, the body is destroyed, and the connection with it.
      for await (const chunk of body) yield chunk as Buffer;
    } catch (thrown) {
      if (!call.signal?.aborted) throw isOurs(thrown) ? thrown : failure(call, { thrown }, scope);
    } finally {
      scope.end();
    }
  }

  /** Ends all connections at once. */
  async close(): Promise<void> {
    await this.credentials.close();
  }

  private async repeat(call: Call, scope: Scope): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const { outcome, isCured } = await this.attempt(call, scope);
      if ('status' in outcome && outcome.status < 300) return outcome.text;
      const pause = isCured && attempt === 1 ? 0 : pauseMs(outcome, attempt, call.isRepeatable);
      const isOver = scope.signal.aborted || isFenced(call);
      if (isOver || pause === undefined || !scope.hasTimeFor(pause)) throw failure(call, outcome, scope);
      await scope.wait(pause).catch(() => undefined);
    }
  }

  private async attempt(call: Call, scope: Scope, isStream = false): Promise<Attempt> {
    const startedAt = performance.now();
    let access: Access | undefined;
    let attempt: Attempt;
    try {
      access = await scope.within(this.credentials.current());
      // The signal alone does not end a request that still waits for its connection.
      const response = await scope.within(dispatch(call, access, scope));
      const isOpen = isStream && response.statusCode === 200;
      attempt = isOpen
        ? { outcome: { status: 200, text: '' }, body: response.body }
        : { outcome: await scope.within(read(response)) };
    } catch (thrown) {
      attempt = { outcome: { thrown } };
    }
    const { outcome } = attempt;
    const code = 'status' in outcome ? String(outcome.status) : brokenBy(outcome.thrown, scope);
    this.onCall?.({ verb: call.verb, resource: call.resource, code, ms: performance.now() - startedAt });
    if (!access || !isUntrusted(outcome)) return attempt;
    return { ...attempt, isCured: await scope.within(this.credentials.renew(access)).catch(() => false) };
  }
}

interface Attempt {
  readonly outcome: Outcome;
  /** Of a stream that was opened. */
  readonly body?: AsyncIterable<unknown>;
  /** What went wrong may have been cured by new credentials: try once more. */
  readonly isCured?: boolean;
}

async function dispatch(call: Call, access: Access, scope: Scope): Promise<Dispatcher.ResponseData> {
  // Nothing is awaited between this check and the sending.
  if (isFenced(call)) throw fenced(call);
  const { method, path, body, contentType } = call;
  return access.dispatcher.request({
    ...{ method, origin: access.origin, path: access.prefix + path, signal: scope.signal, body: body ?? null },
    headers: {
      ...access.headers,
      accept: 'application/json',
      'user-agent': USER_AGENT,
      ...(contentType !== undefined && { 'content-type': contentType }),
    },
  });
}

async function read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Outcome> {
  return { status: statusCode, text: await body.text(), retryAfterMs: retryAfterMs(headers['retry-after']) };
}

function brokenBy(thrown: unknown, scope: Scope): string {
  if (scope.isLate) return 'timeout';
  return scope.signal.aborted ? 'aborted' : codeOf(thrown);
}

function failure(call: Call, outcome: Outcome, scope: Scope): OperatorError | Expired {
  if ('status' in outcome) return refused(call.what, outcome);
  if (isFenced(call)) return fenced(call);
  if (call.signal?.aborted) return unavailable(call, 'the call was given up', call.signal.reason);
  if (!scope.isLate) return unanswered(call.what, outcome.thrown);
  const seconds = (call.deadlineMs ?? DEADLINE_MS) / 1_000;
  return unavailable(call, `the API server did not answer within ${seconds} s`, outcome.thrown);
}

function isFenced({ fence }: Call): boolean {
  return fence !== undefined && (fence.signal.aborted || !fence.isHeld());
}

function fenced({ what }: Call): OperatorError {
  const words = 'another instance of the operator leads now';
  return new OperatorError('LeadershipLost', sentence(what, words), { retry: 'never' });
}

function unavailable({ what }: Call, words: string, cause: unknown): OperatorError {
  return new OperatorError('KubernetesUnavailable', sentence(what, words), { retry: 'backoff', cause });
}

const isOurs = (thrown: unknown): boolean => thrown instanceof OperatorError || thrown instanceof Expired;
