import { describe, expect, it } from '@jest/globals';
import type { AnyResource } from '../../../src/api/resource.ts';
import { OperatorError } from '../../../src/errors.ts';
import { reconcile, type Host, type Outcome, type Reconciler } from '../../../src/runtime/reconcile.ts';

interface Act {
  readonly type: string;
  readonly because: string;
  readonly learned?: string;
}
type Box = AnyResource & { readonly spec: object; readonly status: Readonly<Record<string, unknown>> };

const box = (status: Box['status'] = {}, resourceVersion = '1'): Box => ({
  metadata: { name: 'a', namespace: 'ns', uid: 'u', resourceVersion },
  spec: {},
  status,
});
const act = (type: string): Act => ({ type, because: 'the spec says so' });
const failure = (retry: OperatorError['retry'], reason: OperatorError['reason'] = 'KubernetesUnavailable') =>
  new OperatorError(reason, 'Could not', { retry });

/** One pass of a reconciler that does what is usual but for what is given. */
async function pass(
  given: Partial<Reconciler<Box, string, Act>> & {
    resource?: Box;
    signal?: AbortSignal;
    writeStatus?: () => Promise<void>;
  },
) {
  const written: [Box['status'], string][] = [];
  const said: string[] = [];
  const reported: Outcome<string, Act>[] = [];
  const host: Host<Box, Act> = {
    now: () => new Date(0),
    writeStatus: async (resource, status) => {
      await given.writeStatus?.();
      written.push([status, resource.metadata.resourceVersion]);
    },
    onApplied: (_, action) => void said.push(action.learned ?? action.type),
  };
  const reconciler: Reconciler<Box, string, Act> = {
    observe: given.observe ?? (async () => 'the world'),
    plan: given.plan ?? (() => ({ actions: [] })),
    apply: given.apply ?? (async () => ({})),
    report: (resource, outcome, now) => {
      reported.push(outcome);
      return given.report ? given.report(resource, outcome, now) : { ready: true };
    },
  };
  const signal = given.signal ?? new AbortController().signal;
  const result = await reconcile(reconciler, given.resource ?? box(), host, signal);
  return { result, written, said, outcome: reported[0], reports: reported.length };
}

describe('one pass', () => {
  it('observes, plans, applies in order, reports, and writes the status once', async () => {
    const applied: string[] = [];
    const { result, written, said, outcome } = await pass({
      plan: (_, observed) => ({ actions: [act('one'), act(`two of ${observed}`)], recheckAfterMs: 5_000 }),
      apply: async (_, { type }) => (applied.push(type), {}),
    });
    expect(applied).toEqual(['one', 'two of the world']);
    expect(said).toEqual(applied);
    expect(outcome).toEqual({ observed: 'the world', applied: [act('one'), act('two of the world')] });
    expect(written).toEqual([[{ ready: true }, '1']]);
    expect(result).toEqual({ retry: { afterMs: 5_000 }, actions: 2, statusWritten: true });
  });

  it('waits for an event when the plan asks for nothing else', async () => {
    expect((await pass({})).result.retry).toBe('done');
  });

  it.each<[string, Box['status'], Box['status']]>([
    ['is the same', { ready: true, list: [1, { a: null }] }, { list: [1, { a: null }], ready: true }],
    ['differs in what is undefined', { ready: true }, { ready: true, gone: undefined }],
    ['holds large integers', { id: 9007199254740993n }, { id: 9007199254740993n }],
  ])('writes no status that %s', async (_, before, after) => {
    const { result, written } = await pass({ resource: box(before), report: () => after });
    expect([written, result.statusWritten]).toEqual([[], false]);
  });

  it('is not stopped by a result that is nested as deep as a user likes', async () => {
    const nested = (inner: unknown) => {
      let value = inner;
      for (let level = 0; level < 9_000; level += 1) value = [value];
      return { result: value };
    };
    expect((await pass({ resource: box(nested(1)), report: () => nested(1) })).written).toEqual([]);
    expect((await pass({ resource: box(nested(1)), report: () => nested(2) })).result).toMatchObject({
      statusWritten: true,
    });
  });

  it('leaves the status alone when there is nothing to say', async () => {
    expect((await pass({ report: () => undefined })).written).toEqual([]);
  });

  it('goes on with the resource as an action has left it, and reports what the action learned', async () => {
    const seen: string[] = [];
    const { written, outcome, said } = await pass({
      plan: () => ({ actions: [act('finalize'), act('start')] }),
      apply: async ({ metadata }, action) => {
        seen.push(metadata.resourceVersion);
        return action.type === 'finalize' ? { resource: box({}, '2') } : { action: { ...action, learned: 'run 7' } };
      },
    });
    expect([seen, written, said]).toEqual([['1', '2'], [[{ ready: true }, '2']], ['finalize', 'run 7']]);
    expect(outcome?.applied[1]?.learned).toBe('run 7');
  });

  it('stops at the action that fails, reports the error with what was done, and writes the status', async () => {
    const error = failure({ afterMs: 7_000 });
    const { result, written, outcome, said } = await pass({
      plan: () => ({ actions: [act('one'), act('two'), act('three')] }),
      apply: (_, { type }) => (type === 'two' ? Promise.reject(error) : Promise.resolve({})),
      report: (_, { error: why }) => ({ problem: why?.reason }),
    });
    expect(said).toEqual(['one']);
    expect(outcome).toEqual({ observed: 'the world', applied: [act('one')], error, failed: act('two') });
    expect(written).toEqual([[{ problem: 'KubernetesUnavailable' }, '1']]);
    expect(result).toEqual({ retry: { afterMs: 7_000 }, actions: 1, statusWritten: true, error });
  });

  it('reports that it could not even observe', async () => {
    const error = failure('backoff', 'TemporalUnavailable');
    const { result, outcome } = await pass({ observe: () => Promise.reject(error) });
    expect([outcome, result.retry]).toEqual([{ applied: [], error }, 'backoff']);
  });

  it('takes a stranger for a defect of ours', async () => {
    const { result, outcome } = await pass({
      plan: () => {
        throw new TypeError('x is undefined');
      },
    });
    expect([outcome?.error?.reason, result.retry]).toEqual(['InternalError', 'backoff']);
    expect(outcome?.error?.cause).toBeInstanceOf(TypeError);
  });

  it('starts over silently on a conflict: nothing is reported, nothing is written', async () => {
    const conflict = failure('conflict', 'Conflict');
    const { result, written, reports } = await pass({
      plan: () => ({ actions: [act('one')] }),
      apply: () => Promise.reject(conflict),
    });
    expect([result.retry, written, reports]).toEqual(['conflict', [], 0]);
  });

  it('starts over when the status turns out to be stale', async () => {
    const { result } = await pass({ writeStatus: () => Promise.reject(failure('conflict', 'Conflict')) });
    expect(result).toMatchObject({ retry: 'conflict', statusWritten: false });
  });

  it('tries again later when the status cannot be written, and not when the resource has gone', async () => {
    const away = await pass({ writeStatus: () => Promise.reject(failure('backoff')) });
    expect(away.result).toMatchObject({ retry: 'backoff', statusWritten: false });
    const gone = await pass({ writeStatus: () => Promise.reject(failure('backoff', 'NotFound')) });
    expect(gone.result).toMatchObject({ retry: 'done', statusWritten: false });
  });

  it('applies nothing more and writes nothing once it is aborted', async () => {
    const controller = new AbortController();
    const { said, written, reports } = await pass({
      signal: controller.signal,
      plan: () => ({ actions: [act('one'), act('two')] }),
      apply: async () => {
        controller.abort();
        return {};
      },
    });
    expect([said, written, reports]).toEqual([['one'], [], 0]);
  });
});
