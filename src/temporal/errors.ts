import proto from '@temporalio/proto';
import { boundBytes } from '../api/conditions.ts';
import type { Reason } from '../api/reasons.ts';
import { OperatorError, type Retry } from '../errors.ts';

/** gRPC status codes by name, as the protocol numbers them. */
const codes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** Name of a gRPC status. */
export type GrpcCode = (typeof codes)[number];

/** The longest text of the server's that is repeated, in bytes. */
const MAX_DETAILS_BYTES = 400;

const verdicts: Readonly<Partial<Record<GrpcCode, { readonly reason: Reason; readonly retry: Retry }>>> = {
  INVALID_ARGUMENT: { reason: 'TemporalRejected', retry: 'never' },
  UNIMPLEMENTED: { reason: 'TemporalRejected', retry: 'never' },
  OUT_OF_RANGE: { reason: 'TemporalRejected', retry: 'never' },
  // A precondition may be met later: a namespace fails over, a pause ends.
  FAILED_PRECONDITION: { reason: 'TemporalRejected', retry: 'backoff' },
  // Keys and grants take effect on the server's side, where nobody tells us: so keep trying, slowly.
  UNAUTHENTICATED: { reason: 'TemporalUnauthenticated', retry: 'backoff' },
  PERMISSION_DENIED: { reason: 'TemporalForbidden', retry: 'backoff' },
  ALREADY_EXISTS: { reason: 'AlreadyExists', retry: 'never' },
  NOT_FOUND: { reason: 'NotFound', retry: 'never' },
};

/** Of anything else it is only known that Temporal did not do what it was asked; all our calls may be repeated. */
const unavailable = { reason: 'TemporalUnavailable', retry: 'backoff' } as const;

/** A message beyond what its receiver takes, the server or we, would only come again. */
const tooLarge = { reason: 'TooLarge', retry: 'never' } as const;

/** Whatever a Temporal call threw, as an OperatorError. `what` completes "Could not …". */
export function temporalError(what: string, thrown: unknown): OperatorError {
  if (thrown instanceof OperatorError) return thrown;
  const code = grpcCode(thrown);
  if (!code) {
    return new OperatorError('InternalError', `Could not ${what}: ${String(thrown)}`, {
      retry: 'backoff',
      cause: thrown,
    });
  }
  const { reason, retry } = verdictOn(code, thrown);
  return new OperatorError(reason, `Could not ${what}: ${explain(code, detailsOf(thrown))}`, { retry, cause: thrown });
}

/** The gRPC status of an error of a call; undefined for an error that is none. */
export function grpcCode(thrown: unknown): GrpcCode | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'number') return undefined;
  return codes[thrown.code];
}

/** The bytes of the error detail of type `temporal.api.errordetails.v1.<name>` that the server attached to an error. */
export function errorDetail(thrown: unknown, name: string): Uint8Array | undefined {
  const { metadata } = thrown as { readonly metadata?: { get(key: string): readonly (string | Uint8Array)[] } };
  const [packed] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!(packed instanceof Uint8Array)) return undefined;
  const { details } = proto.google.rpc.Status.decode(packed);
  const found = details.find(({ type_url }) => type_url?.endsWith(`/temporal.api.errordetails.v1.${name}`));
  return found?.value ?? undefined;
}

/** Whether another attempt at once has a chance. `details` as the error has them. */
export function isTransient(thrown: unknown): boolean {
  const code = grpcCode(thrown);
  if (isOversize(thrown)) return false;
  if (code === 'UNAVAILABLE' || code === 'RESOURCE_EXHAUSTED' || code === 'ABORTED') return true;
  // What a proxy or a closing server makes of a broken stream; every other INTERNAL would only come again.
  return code === 'INTERNAL' && /RST_STREAM with code [02](?!.*SSL alert)|without gRPC status/i.test(detailsOf(thrown));
}

function verdictOn(code: GrpcCode, thrown: unknown): { readonly reason: Reason; readonly retry: Retry } {
  if (code === 'NOT_FOUND' && errorDetail(thrown, 'NamespaceNotFoundFailure')) {
    return { reason: 'TemporalNamespaceNotFound', retry: 'backoff' };
  }
  if (isOversize(thrown)) return tooLarge;
  // An HTTP proxy whose backend is away answers in HTTP, which gRPC makes a status of its own of. One that refuses
  // the credentials says what Temporal would say.
  if (/HTTP status code (?!40[13])/.test(detailsOf(thrown))) return unavailable;
  // A server that refuses the client's certificate hangs up; it has no gRPC status to say so with.
  if (code === 'UNAVAILABLE' && isCertificateRefused(detailsOf(thrown))) {
    return { reason: 'TemporalUnauthenticated', retry: 'backoff' };
  }
  return verdicts[code] ?? unavailable;
}

/** gRPC's own libraries say it so, on either side; a server that limits its callers has other words. */
const isOversize = (thrown: unknown) =>
  grpcCode(thrown) === 'RESOURCE_EXHAUSTED' && /message .*larger than /.test(detailsOf(thrown));

const isCertificateRefused = (details: string) =>
  /alert (bad certificate|unsupported certificate|certificate (revoked|expired|unknown|required)|unknown ca)/i.test(
    details,
  );

function detailsOf(thrown: unknown): string {
  const { details } = thrown as { readonly details?: unknown };
  return typeof details === 'string' ? details : '';
}

function explain(code: GrpcCode, details: string): string {
  if (code === 'DEADLINE_EXCEEDED') return 'Temporal did not answer in time';
  if (code === 'CANCELLED') return 'the call was given up';
  const text = boundBytes(stable(details), MAX_DETAILS_BYTES);
  if (code === 'UNAVAILABLE') return `Temporal is unavailable${text && `: ${text}`}`;
  return text || code;
}

/** Times, addresses in memory and control characters would make a condition's message differ each time, or dangerous to print. */
function stable(details: string): string {
  return details
    .replace(/ ?\(?\d{4}-\d\d-\d\dT[\d:.]+Z\)?/g, '')
    .replace(/\.? ?Resolution note:.*$/s, '')
    .replace(/^No connection established\. Last error: (Error: )?/, '')
    .replace(/[0-9A-F]+:error:[0-9A-F]+:SSL routines:[^:]*:([^:]*).*$/s, 'TLS: $1')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
}
