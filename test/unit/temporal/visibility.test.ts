import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OperatorError } from '../../../src/errors.ts';
import { among, changedAfter, listRows, type Row } from '../../../src/temporal/visibility.ts';
import { aTemporal, listed } from '../../builders/temporal.ts';

const tooLarge = new OperatorError('TooLarge', 'Received message larger than max', { retry: 'never' });
const never = new AbortController().signal;

describe('a query', () => {
  it.each([
    ['default/', [], "(WorkflowId STARTS_WITH 'default/')"],
    [undefined, ['a', 'b'], "(WorkflowId IN ('a', 'b'))"],
    ['default/', ['a'], "(WorkflowId STARTS_WITH 'default/' OR WorkflowId IN ('a'))"],
  ])('names the prefix %p and the IDs %p', (prefix, ids, expected) => expect(among(prefix, ids)).toBe(expected));

  it.each([
    ["it's", "'it''s'"],
    ["' OR '1'='1", "''' OR ''1''=''1'"],
    ['\\', "'\\\\'"],
    ["\\' OR WorkflowId != '", "'\\\\'' OR WorkflowId != '''"],
    ['say "x"', `'say "x"'`],
    ['日本 😀', "'日本 😀'"],
    ['a\nb\u0000', "'a\nb\u0000'"],
  ])('quotes %p', (id, quoted) => expect(among(undefined, [id])).toBe(`(WorkflowId IN (${quoted}))`));

  it('cannot be left by what stands in an ID', () => {
    const unit = fc.oneof(fc.constantFrom("'", '\\', '"', '`', ')', ' OR ', '--', ';'), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const id = units.join('');
        const [, literal = ''] = /^\(WorkflowId IN \(('.*')\)\)$/s.exec(among(undefined, [id])) ?? [];
        expect(read(literal)).toEqual({ value: id, rest: '' });
      }),
    );
  });

  it('asks for what was started and for what was closed after a time', () => {
    expect(changedAfter(1_767_268_800_123)).toBe(
      "(CloseTime > '2026-01-01T12:00:00.123Z' OR StartTime > '2026-01-01T12:00:00.123Z')",
    );
  });
});

/** Reads a string literal as the server does: a backslash takes the next character along, two quotes are one. */
function read(literal: string): { readonly value: string; readonly rest: string } {
  let value = '';
  for (let at = 1; at < literal.length; at += 1) {
    const [character = '', next] = [literal[at], literal[at + 1]];
    if (character === "'" && next !== "'") return { value, rest: literal.slice(at + 1) };
    const isPair = character === '\\' || character === "'";
    value += isPair ? (next ?? '') : character;
    if (isPair) at += 1;
  }
  return { value, rest: 'no end' };
}

describe('a list', () => {
  it('goes on page by page to its end, and tells of each run what it needs', async () => {
    const pages = [
      {
        executions: [listed({ workflowID: 'a', runID: 'r-1', startMs: 1_000, uid: 'u-1' })],
        nextPageToken: Uint8Array.of(1),
      },
      { executions: [], nextPageToken: Uint8Array.of(2) },
      {
        executions: [listed({ workflowID: 'b', runID: 'r-2', startMs: 1_500, closeMs: 2_250 })],
        nextPageToken: new Uint8Array(),
      },
    ];
    const asked: unknown[] = [];
    const client = aTemporal({
      listWorkflowExecutions: ({ query, pageSize, nextPageToken }) => {
        asked.push({ query, pageSize, token: [...(nextPageToken ?? [])] });
        return pages[asked.length - 1]!;
      },
    });
    const rows: Row[] = [];
    for await (const page of listRows(client, 'q', never, 7)) rows.push(...page);
    expect(rows).toEqual([
      { workflowID: 'a', runID: 'r-1', status: 'Running', startMs: 1_000, taskQueue: 'queue', uid: 'u-1' },
      { workflowID: 'b', runID: 'r-2', status: 'Completed', startMs: 1_500, closeMs: 2_250, taskQueue: 'queue' },
    ]);
    expect(asked).toEqual([[], [1], [2]].map((token) => ({ query: 'q', pageSize: 7, token })));
  });

  it('asks for fewer rows a page, from where it is, as long as a page is too large to be taken', async () => {
    const asked: unknown[] = [];
    const client = aTemporal({
      listWorkflowExecutions: ({ pageSize, nextPageToken }) => {
        const token = nextPageToken?.[0] ?? 0;
        asked.push([token, pageSize]);
        if (token > 0 && (pageSize ?? 0) > 3) throw tooLarge;
        return { executions: [], nextPageToken: token === 2 ? new Uint8Array() : Uint8Array.of(token + 1) };
      },
    });
    for await (const page of listRows(client, 'q', never, 20)) expect(page).toEqual([]);
    expect(asked).toEqual([
      [0, 20],
      [1, 20],
      [1, 5],
      [1, 2],
      [2, 2],
    ]);
  });

  it.each([
    ['one row alone is too large', tooLarge, [20, 5, 2, 1]],
    ['it is something else', new OperatorError('TemporalUnavailable', 'away', { retry: 'backoff' }), [20]],
  ])('gives up where %s', async (_, problem, sizes) => {
    const asked: unknown[] = [];
    const client = aTemporal({
      listWorkflowExecutions: ({ pageSize }) => {
        asked.push(pageSize);
        throw problem;
      },
    });
    await expect(listRows(client, 'q', never, 20).next()).rejects.toBe(problem);
    expect(asked).toEqual(sizes);
  });

  it('calls a status that this version has not heard of Unknown', async () => {
    const executions = [listed({ workflowID: 'a', startMs: 0, status: 42 })];
    const client = aTemporal({ listWorkflowExecutions: () => ({ executions, nextPageToken: new Uint8Array() }) });
    for await (const page of listRows(client, 'q', never)) expect(page[0]?.status).toBe('Unknown');
  });
});
