import { describe, expect, it } from '@jest/globals';
import { isUntrusted, MAX_ATTEMPTS, pauseMs, retryAfterMs, type Outcome } from '../../../src/kube/retry.ts';

const answered = (status: number, more: { retryAfterMs?: number; text?: string } = {}): Outcome => ({
  status,
  text: '',
  ...more,
});
const broke = (code: string): Outcome => ({ thrown: Object.assign(new Error(code), { code }) });

describe('whether a call is repeated', () => {
  it.each<[string, Outcome, { ifRepeatable: boolean; always: boolean }]>([
    ['asked to wait', answered(429), { ifRepeatable: true, always: true }],
    ['a fault of the server', answered(500), { ifRepeatable: true, always: false }],
    ['away', answered(503), { ifRepeatable: true, always: false }],
    [
      'too large for etcd',
      answered(500, { text: 'etcdserver: request is too large' }),
      { ifRepeatable: false, always: false },
    ],
    ['a conflict', answered(409), { ifRepeatable: false, always: false }],
    ['forbidden', answered(403), { ifRepeatable: false, always: false }],
    ['rejected', answered(422), { ifRepeatable: false, always: false }],
    ['nobody listens', broke('ECONNREFUSED'), { ifRepeatable: true, always: true }],
    ['no such host', broke('ENOTFOUND'), { ifRepeatable: true, always: true }],
    ['the pool was being replaced', broke('UND_ERR_CLOSED'), { ifRepeatable: true, always: true }],
    ['another certificate', broke('SELF_SIGNED_CERT_IN_CHAIN'), { ifRepeatable: true, always: true }],
    ['broken amid the call', broke('ECONNRESET'), { ifRepeatable: true, always: false }],
    ['broken amid the answer', broke('UND_ERR_SOCKET'), { ifRepeatable: true, always: false }],
  ])('%s', (_, outcome, wanted) => {
    expect({
      ifRepeatable: pauseMs(outcome, 1, true) !== undefined,
      always: pauseMs(outcome, 1, false) !== undefined,
    }).toEqual(wanted);
  });

  it('ends after the last attempt', () => {
    expect(pauseMs(answered(503), MAX_ATTEMPTS - 1, true)).toBeDefined();
    expect(pauseMs(answered(503), MAX_ATTEMPTS, true)).toBeUndefined();
  });
});

describe('how long to wait before', () => {
  it('doubles, and half of it is left to chance', () => {
    for (const [attempt, full] of [
      [1, 100],
      [2, 200],
      [3, 400],
      [4, 800],
    ] as const) {
      for (let times = 0; times < 20; times += 1) {
        const pause = pauseMs(answered(503), attempt, true)!;
        expect([pause >= full / 2, pause <= full]).toEqual([true, true]);
      }
    }
  });

  it('is what the server asks for; a longer time is for the caller to wait', () => {
    expect(pauseMs(answered(429, { retryAfterMs: 1_000 }), 1, false)).toBe(1_000);
    expect(pauseMs(answered(429, { retryAfterMs: 60_000 }), 1, true)).toBeUndefined();
  });

  it.each([
    ['3', 3_000],
    ['0', 0],
    ['', undefined],
    ['-1', undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    [undefined, undefined],
  ])('reads a Retry-After of %s', (header, ms) => {
    expect(retryAfterMs(header)).toBe(ms);
  });
});

it('takes refusals and strange certificates for what fresh credentials may cure', () => {
  const outcomes = [
    answered(401),
    broke('CERT_HAS_EXPIRED'),
    broke('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    answered(403),
    broke('ECONNRESET'),
  ];
  expect(outcomes.map(isUntrusted)).toEqual([true, true, true, false, false]);
});
