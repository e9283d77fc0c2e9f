import type { Reason } from './api/reasons.ts';

/** What to do with the resource after a failure. `conflict` means: what we read is stale, start over at once and silently. */
export type Retry = 'never' | 'backoff' | 'conflict' | { readonly afterMs: number };

/**
 * The only error that crosses a module boundary.
 *
 * The adapters in `kube/` and `temporal/` translate vendor errors into it, so
 * that controllers decide by `retry`, users read `reason` in a condition, and
 * nobody else needs to know what a gRPC status is.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly reason: Reason;
  readonly retry: Retry;

  constructor(reason: Reason, message: string, options: { readonly retry: Retry; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.retry = options.retry;
  }
}

/** Anything thrown, as an `OperatorError`. A stranger is a defect of ours: say so, and retry. */
export function asOperatorError(thrown: unknown): OperatorError {
  if (thrown instanceof OperatorError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new OperatorError('InternalError', message, { retry: 'backoff', cause: thrown });
}
