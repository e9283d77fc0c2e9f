import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { among, canBeNamed, changedAfter, listRows, type Row } from '../../../src/temporal/visibility.ts';
import { aTemporal, listed } from '../../builders/temporal.ts';

const never = new AbortController().signal;

describe('a query', () => {
  it.each([
    [{ prefix: 'default/' }, "(WorkflowId STARTS_WITH 'default/')"],
    [{ workflowIDs: ['a', 'b'] }, "(WorkflowId IN ('a', 'b'))"],
    [{ runIDs: ['r'] }, "(RunId IN ('r'))"],
    [
      { prefix: 'default/', workflowIDs: ['a'], runIDs: ['r'] },
      "(WorkflowId STARTS_WITH 'default/' OR WorkflowId IN ('a') OR RunId IN ('r'))",
    ],
  ])('for %j is %s', (wanted, expected) => expect(among(wanted)).toBe(expected));

  it.each([
    ["it's", "'it''s'"],
    ["' OR '1'='1", "''' OR ''1''=''1'"],
    ['\\', "'\\\\'"],
    ["\\' OR WorkflowId != '", "'\\\\'' OR WorkflowId != '''"],
    ['say "x"', `'say "x"'`],
    ['日本 😀', "'日本 😀'"],
    ['a\nb\u0000', "'a\nb\u0000'"],
  ])('quotes %p', (id, quoted) => expect(among({ workflowIDs: [id] })).toBe(`(WorkflowId IN (${quoted}))`));

  it.each(['plain', 'a/b-c_d.e', '日本 😀 ünï', '100 %', 'a`b', '(x)', 'a;b--c'])('finds %p by its name', (id) =>
    expect(canBeNamed(id)).toBe(true),
  );

  it.each(["it's", '"', 'back\\slash', 'two\nlines', 'a\rb', 'a\tb', 'a\u0000b', 'a\bb', 'a\u001ab'])(
    'does not find %p by its name',
    (id) => expect(canBeNamed(id)).toBe(false),
  );

  it('cannot be left by what stands in an ID', () => {
    const unit = fc.oneof(fc.constantFrom("'", '\\', '"', '`', ')', ' OR ', '--', ';'), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.array(unit), (units) => {
        const id = units.join('');
        const [, literal = ''] = /^\(WorkflowId IN \(('.*')\)\)$/s.exec(among({ workflowIDs: [id] })) ?? [];
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

  it('calls a status that this version has not heard of Unknown', async () => {
    const executions = [listed({ workflowID: 'a', startMs: 0, status: 42 })];
    const client = aTemporal({ listWorkflowExecutions: () => ({ executions, nextPageToken: new Uint8Array() }) });
    for await (const page of listRows(client, 'q', never)) expect(page[0]?.status).toBe('Unknown');
  });
});
