import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OperatorError } from '../../../src/errors.ts';
import { errorDetail, grpcCode, isTransient, temporalError } from '../../../src/temporal/errors.ts';
import { grpcError, withDetail } from '../../builders/temporal.ts';

function translated(code: number, details: string, metadata?: Parameters<typeof grpcError>[2]) {
  const { reason, message, retry } = temporalError('start the run', grpcError(code, details, metadata));
  return { reason, message, retry };
}

const unavailable = { reason: 'TemporalUnavailable', retry: 'backoff' };
const rejected = { reason: 'TemporalRejected', retry: 'never' };
const unauthenticated = { reason: 'TemporalUnauthenticated', retry: 'backoff' };

describe('a gRPC status', () => {
  it.each([
    [1, { ...unavailable, message: 'Could not start the run: the call was given up' }],
    [2, { ...unavailable, message: 'Could not start the run: details' }],
    [3, { ...rejected, message: 'Could not start the run: details' }],
    [4, { ...unavailable, message: 'Could not start the run: Temporal did not answer in time' }],
    [5, { reason: 'NotFound', retry: 'never', message: 'Could not start the run: details' }],
    [6, { reason: 'AlreadyExists', retry: 'never', message: 'Could not start the run: details' }],
    [7, { reason: 'TemporalForbidden', retry: 'backoff', message: 'Could not start the run: details' }],
    [8, { ...unavailable, message: 'Could not start the run: details' }],
    [9, { reason: 'TemporalRejected', retry: 'backoff', message: 'Could not start the run: details' }],
    [10, { ...unavailable, message: 'Could not start the run: details' }],
    [11, { ...rejected, message: 'Could not start the run: details' }],
    [12, { ...rejected, message: 'Could not start the run: details' }],
    [13, { ...unavailable, message: 'Could not start the run: details' }],
    [14, { ...unavailable, message: 'Could not start the run: Temporal is unavailable: details' }],
    [15, { ...unavailable, message: 'Could not start the run: details' }],
    [16, { ...unauthenticated, message: 'Could not start the run: details' }],
  ])('%i has a reason, a sentence and a verdict on trying again', (code, expected) =>
    expect(translated(code, 'details')).toEqual(expected),
  );

  it('without details is named', () => {
    expect(translated(3, '').message).toBe('Could not start the run: INVALID_ARGUMENT');
    expect(translated(14, '').message).toBe('Could not start the run: Temporal is unavailable');
  });

  it('NOT_FOUND of a namespace is a matter of the connection', () => {
    expect(translated(5, 'Namespace x is not found.', withDetail('NamespaceNotFoundFailure'))).toEqual({
      reason: 'TemporalNamespaceNotFound',
      retry: 'backoff',
      message: 'Could not start the run: Namespace x is not found.',
    });
  });

  it.each([
    'Received message larger than max (18649155 vs 16777216)',
    'Received message that decompresses to a size larger than 16777216',
    'grpc: received message larger than max (5000000 vs. 4194304)',
  ])('RESOURCE_EXHAUSTED by a message that its receiver does not take is for good: "%s"', (details) => {
    expect(translated(8, details)).toEqual({
      reason: 'TooLarge',
      retry: 'never',
      message: `Could not start the run: ${details}`,
    });
  });

  it('keeps the error as the cause, for the log', () => {
    const thrown = grpcError(14, 'away');
    expect(temporalError('x', thrown).cause).toBe(thrown);
  });
});

describe('a server that refuses the client certificate', () => {
  const prefix = 'No connection established. Last error: Error: 00A8F6:error:0A000412:SSL routines:ssl3_read_bytes:';

  it.each([
    'sslv3 alert bad certificate',
    'sslv3 alert certificate expired',
    'sslv3 alert certificate revoked',
    'sslv3 alert certificate unknown',
    'sslv3 alert unsupported certificate',
    'tlsv13 alert certificate required',
    'tlsv1 alert unknown ca',
  ])('by "%s" has refused the credentials', (alert) => {
    expect(translated(14, `${prefix}${alert}:ssl/record/rec_layer_s3.c:916:SSL alert number 42`)).toEqual({
      ...unauthenticated,
      message: `Could not start the run: Temporal is unavailable: TLS: ${alert}`,
    });
  });

  it.each(['self-signed certificate in certificate chain', 'certificate has expired', 'wrong version number'])(
    'differs from one that we refuse: "%s"',
    (words) => expect(translated(14, words)).toMatchObject(unavailable),
  );
});

describe('an HTTP proxy', () => {
  it.each([
    [2, 'Received HTTP status code 500', unavailable],
    [12, 'Received HTTP status code 404', unavailable],
    [13, 'Received HTTP status code 400', unavailable],
    [14, 'Received HTTP status code 502', unavailable],
    [14, 'Received HTTP status code 503', unavailable],
    [14, 'Received HTTP status code 504', unavailable],
    [16, 'Received HTTP status code 401', unauthenticated],
    [7, 'Received HTTP status code 403', { reason: 'TemporalForbidden', retry: 'backoff' }],
  ])('that makes gRPC say %i "%s"', (code, details, expected) =>
    expect(translated(code, details)).toMatchObject(expected),
  );
});

describe('another attempt at once', () => {
  it.each([
    [1, '', false],
    [2, '', false],
    [3, '', false],
    [4, '', false],
    [5, '', false],
    [6, '', false],
    [7, '', false],
    [8, '', true],
    [8, 'namespace rate limit exceeded', true],
    [8, 'Received message larger than max (18649155 vs 16777216)', false],
    [8, 'grpc: received message larger than max (5000000 vs. 4194304)', false],
    [9, '', false],
    [10, '', true],
    [11, '', false],
    [12, '', false],
    [13, 'a defect of the server', false],
    [13, 'Received RST_STREAM with code 0', true],
    [13, 'Received RST_STREAM with code 2', true],
    [13, 'Received RST_STREAM with code 2 triggered by internal client error: SSL alert number 42', false],
    [13, 'Call ended without gRPC status', true],
    [14, '', true],
    [15, '', false],
    [16, '', false],
  ])('after %i "%s" may help: %s', (code, details, expected) =>
    expect(isTransient(grpcError(code, details))).toBe(expected),
  );

  it('does not help against anything that is no status', () => {
    expect([new Error('x'), undefined, null, 'x', { code: 14 }].map(isTransient)).toEqual(Array(5).fill(false));
  });
});

describe('the words of a server', () => {
  it.each([
    ['are cut at a code point', `${'x'.repeat(398)}é${'y'.repeat(100)}`, `${'x'.repeat(397)}…`],
    ['lose line breaks, control and invisible characters', 'a\r\nb\u0000\u001b[31m\u202ec\u200b', 'a b [31m c'],
    [
      'lose times, so that a condition does not change at each attempt',
      'down (2026-01-01T12:00:00.123Z) now',
      'down now',
    ],
    [
      'lose the notes of the resolver',
      'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: at 12:00',
      'connect ECONNREFUSED 127.0.0.1:1',
    ],
  ])('%s', (_, details, expected) =>
    expect(translated(3, details).message).toBe(`Could not start the run: ${expected}`),
  );

  it('are bounded and printable whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1_000 }), fc.integer({ min: 1, max: 16 }), (details, code) => {
        const { message } = translated(code, details);
        expect(Buffer.byteLength(message)).toBeLessThanOrEqual(500);
        expect(message).not.toMatch(/[\p{Cc}\p{Cf}\n]/u);
      }),
      { numRuns: 100 },
    );
  });
});

describe('anything else that is thrown', () => {
  it('is a defect of ours, and tried again', () => {
    const cause = new TypeError('x is not a function');
    expect(temporalError('start the run', cause)).toEqual(
      new OperatorError('InternalError', 'Could not start the run: TypeError: x is not a function', {
        retry: 'backoff',
        cause,
      }),
    );
  });

  it.each([
    [new Error('x')],
    [Object.assign(new Error('x'), { code: 'ECONNRESET' })],
    [{ code: 14 }],
    [null],
    ['x'],
    [undefined],
  ])('is no gRPC status: %p', (thrown) => expect(grpcCode(thrown)).toBeUndefined());

  it('that is an error of ours already stays as it is', () => {
    const error = new OperatorError('ConnectionNotReady', 'removed', { retry: 'backoff' });
    expect(temporalError('start the run', error)).toBe(error);
  });
});

describe('a detail of an error', () => {
  const value = Uint8Array.of(1, 2, 3);

  it('is found by its name', () => {
    const error = grpcError(6, '', withDetail('WorkflowExecutionAlreadyStartedFailure', value));
    expect([...errorDetail(error, 'WorkflowExecutionAlreadyStartedFailure')!]).toEqual([1, 2, 3]);
    expect(errorDetail(error, 'AlreadyStartedFailure')).toBeUndefined();
  });

  it('is none where there is none', () => {
    expect(errorDetail(grpcError(6, ''), 'X')).toBeUndefined();
    expect(errorDetail(new Error('x'), 'X')).toBeUndefined();
  });
});
