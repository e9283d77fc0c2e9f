import { codeOf } from './errors.ts';

/** What one attempt came to. */
export type Outcome =
  | { readonly status: number; readonly text: string; readonly retryAfterMs?: number | undefined }
  | { readonly thrown: unknown };

/** Attempts of one call, the first included; the deadline usually comes first. */
export const MAX_ATTEMPTS = 5;
/** Longest wait that the server may ask for within a call; a longer one is passed on to the caller. */
const MAX_RETRY_AFTER_MS = 5_000;
const FIRST_PAUSE_MS = 100;

/** Errors from before anything was sent. */
const neverSent = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|UND_ERR_CLOSED)$/;
/** Errors that new certificates may cure; they too come before anything was sent. */
const untrusted = /^ERR_TLS|^ERR_SSL|CERT|^UNABLE_TO|SELF_SIGNED/;

/**
 * How long to wait before the same call may be made again; undefined: not at
 * all. `isRepeatable` says that doing it twice is as good as once.
 */
export function pauseMs(outcome: Outcome, attempt: number, isRepeatable: boolean): number | undefined {
  if (attempt >= MAX_ATTEMPTS || !mayRepeat(outcome, isRepeatable)) return undefined;
  // Half of it at random: those who failed together shall not come back together.
  const backoffMs = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
  const asked = 'thrown' in outcome ? undefined : outcome.retryAfterMs;
  if (asked !== undefined && asked > MAX_RETRY_AFTER_MS) return undefined;
  return Math.max(backoffMs, asked ?? 0);
}

/** Whether fresh credentials may cure what happened. */
export function isUntrusted(outcome: Outcome): boolean {
  return 'thrown' in outcome ? untrusted.test(codeOf(outcome.thrown)) : outcome.status === 401;
}

/** Milliseconds of a Retry-After header, which the API server gives in seconds. */
export function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const seconds = Number(typeof header === 'string' && header !== '' ? header : NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

function mayRepeat(outcome: Outcome, isRepeatable: boolean): boolean {
  if ('thrown' in outcome) {
    const code = codeOf(outcome.thrown);
    return isRepeatable || neverSent.test(code) || untrusted.test(code);
  }
  // Turned away at the door: nothing was done.
  if (outcome.status === 429) return true;
  // An answer that etcd's limit causes comes as 500 and would only come again.
  return isRepeatable && outcome.status >= 500 && !/request is too large|larger than max/.test(outcome.text);
}
