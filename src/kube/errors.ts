import { boundBytes } from '../api/conditions.ts';
import { parseJson } from '../api/json.ts';
import type { Reason } from '../api/reasons.ts';
import { OperatorError, type Retry } from '../errors.ts';
import { Expired } from '../runtime/ports.ts';

/** What the API server answered instead of doing what it was asked. */
export interface Refusal {
  readonly status: number;
  /** The body: a `Status` object, unless a proxy in between wrote it. */
  readonly text: string;
  readonly retryAfterMs?: number | undefined;
}

/** The part of `v1.Status` that is looked at. */
interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly field?: string }[] };
}

/** Longest message, in bytes; a condition holds as much. */
const MAX_MESSAGE_BYTES = 1024;

/** A refusal as the error to throw; `what` completes "Could not …". Expired for 410. */
export function refused(what: string, refusal: Refusal): OperatorError | Expired {
  const status = statusIn(refusal.text);
  if (refusal.status === 410) return new Expired(sentence(what, wordsOf(refusal.status, status)));
  const { reason, retry, words } = verdictOn(refusal, status);
  const cause = status?.message === undefined ? undefined : new Error(clean(status.message));
  return new OperatorError(reason, sentence(what, words), { retry, ...(cause && { cause }) });
}

/** The ERROR line of a watch as the error to throw. */
export function watchError(what: string, object: unknown): OperatorError | Expired {
  const text = JSON.stringify(object);
  return refused(what, { status: statusIn(text)?.code ?? 500, text });
}

/** A call that got no answer, or half of one. */
export function unanswered(what: string, thrown: unknown): OperatorError {
  if (thrown instanceof OperatorError) return thrown;
  return new OperatorError(
    'KubernetesUnavailable',
    sentence(what, `the API server cannot be reached (${codeOf(thrown)})`),
    {
      retry: 'backoff',
      cause: thrown,
    },
  );
}

/** Why a connection failed, in one stable word: its text names addresses, which change. */
export function codeOf(thrown: unknown): string {
  const { code, name } = (thrown ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : 'unknown';
}

/** "Could not <what>: <why>", in one line of bounded length. */
export function sentence(what: string, why: string): string {
  return boundBytes(`Could not ${clean(what)}: ${clean(why)}`, MAX_MESSAGE_BYTES);
}

interface KubeVerdict {
  readonly reason: Reason;
  readonly retry: Retry;
  readonly words: string;
}

function verdictOn(refusal: Refusal, status: Status | undefined): KubeVerdict {
  const words = wordsOf(refusal.status, status);
  const fault = faultOfOurs(refusal.status, status);
  if (fault) return { reason: fault, retry: 'never', words };
  // The server's own words for a fault of its own change from call to call: they are the cause.
  if (refusal.status >= 500) return { ...away, words: `the API server answered ${refusal.status}${named(status)}` };
  switch (refusal.status) {
    case 401:
      return {
        reason: 'KubernetesForbidden',
        retry: 'backoff',
        words: "the API server refused the operator's credentials",
      };
    case 403:
      return { reason: 'KubernetesForbidden', retry: 'backoff', words };
    case 404:
      return { reason: 'NotFound', retry: 'backoff', words };
    case 409:
      return { ...conflict(status), words };
    case 422:
      return { ...invalid(status), words };
    case 408:
      return { ...away, words };
    case 429:
      return { ...away, retry: afterPause(refusal.retryAfterMs), words: 'the API server asks to wait' };
    default:
      return { reason: 'KubernetesRejected', retry: 'never', words };
  }
}

const away = { reason: 'KubernetesUnavailable', retry: 'backoff' } as const;

function afterPause(retryAfterMs: number | undefined): Retry {
  return retryAfterMs === undefined ? 'backoff' : { afterMs: retryAfterMs };
}

function conflict(status: Status | undefined): { readonly reason: Reason; readonly retry: Retry } {
  if (status?.reason === 'AlreadyExists') return { reason: 'AlreadyExists', retry: 'never' };
  // Somebody else owns a field that was applied without force: starting over would only meet them again.
  const isOwned = status?.details?.causes?.some(({ reason }) => reason === 'FieldManagerConflict') ?? false;
  return isOwned ? { reason: 'KubernetesRejected', retry: 'backoff' } : { reason: 'Conflict', retry: 'conflict' };
}

function invalid(status: Status | undefined): { readonly reason: Reason; readonly retry: Retry } {
  // A uid in what is written says which object is meant; another has its name by now.
  const isAnother = status?.details?.causes?.some(({ field }) => field === 'metadata.uid') ?? false;
  return isAnother ? { reason: 'Conflict', retry: 'conflict' } : { reason: 'KubernetesRejected', retry: 'never' };
}

/** What comes as a fault of the server, and would come again however often it was repeated. */
function faultOfOurs(code: number, status: Status | undefined): Reason | undefined {
  if (isTooLarge(code, status)) return 'TooLarge';
  return isIllTyped(code, status) ? 'KubernetesRejected' : undefined;
}

/** etcd's and gRPC's limits come as 500. */
function isTooLarge(code: number, status: Status | undefined): boolean {
  return code === 413 || (code === 500 && /request is too large|larger than max/.test(status?.message ?? ''));
}

/** A server-side apply of a value of the wrong type, or of a list with one key twice, is answered by 500 without a reason (1.36). */
function isIllTyped(code: number, status: Status | undefined): boolean {
  return code === 500 && (status?.message ?? '').startsWith('failed to create typed patch object');
}

function wordsOf(code: number, status: Status | undefined): string {
  return status?.message || `the API server answered ${code}${named(status)}`;
}

function named(status: Status | undefined): string {
  return status?.reason ? ` ${status.reason}` : '';
}

/** Undefined for what is no Status: a proxy's page is nobody's sentence. */
function statusIn(text: string): Status | undefined {
  try {
    const value = parseJson(text) as (Status & { readonly kind?: unknown }) | null;
    return value?.kind === 'Status' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** No control characters, no line breaks. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}
