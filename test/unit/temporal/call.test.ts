import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TokenBucket } from '../../../src/temporal/budget.ts';
import { attemptCall, type Method } from '../../../src/temporal/call.ts';
import type { Link } from '../../../src/temporal/connection.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A server that answers everything at once. Links have private members, which nothing but the class can have: hence the cast. */
const link = { run: () => Promise.resolve({}) } as unknown as Link;

/** Makes calls within one query a second and many others; tells when each was answered, in seconds from now. */
function aNamespace() {
  const budget = new TokenBucket(1_000, new TokenBucket(1));
  const beganMs = performance.now();
  const answered: number[] = [];
  const ask = async (method: Method, signal?: AbortSignal) => {
    const call = { method, request: {}, namespace: 'default', budget, link: () => link, onCall: undefined };
    await attemptCall(call, { what: 'ask', priority: 'completion', signal, deadlineMs: 2_000 });
    answered.push(Math.round((performance.now() - beganMs) / 1_000));
  };
  return { ask, answered };
}

describe('queries of the visibility store', () => {
  it('go at their own rate, however long that makes them wait, and fail for no deadline meanwhile', async () => {
    const { ask, answered } = aNamespace();
    const all = Promise.all(Array.from({ length: 8 }, () => ask('listWorkflowExecutions')));
    await jest.advanceTimersByTimeAsync(8_000);
    await all;
    expect(answered).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('do not hold up other calls', async () => {
    const { ask, answered } = aNamespace();
    const queries = Array.from({ length: 3 }, () => ask('listWorkflowExecutions'));
    await Promise.all([queries[0], ask('getWorkflowExecutionHistoryReverse')]);
    expect(answered).toEqual([0, 0]);
    await jest.advanceTimersByTimeAsync(3_000);
    await Promise.all(queries);
  });

  it('are given up while they wait', async () => {
    const { ask } = aNamespace();
    await ask('listWorkflowExecutions');
    const stopping = new AbortController();
    const waiting = ask('listWorkflowExecutions', stopping.signal);
    stopping.abort();
    await expect(waiting).rejects.toMatchObject({
      reason: 'TemporalUnavailable',
      message: 'Could not ask: it was given up',
    });
  });
});
