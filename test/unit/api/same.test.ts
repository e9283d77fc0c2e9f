import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isSameJson } from '../../../src/api/same.ts';

describe('isSameJson', () => {
  it('says what comparing the texts of sorted members would', () => {
    const sorted = (value: unknown): string =>
      JSON.stringify(value, (_, member: unknown) =>
        typeof member === 'object' && member !== null && !Array.isArray(member)
          ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
          : member,
      );
    const small = fc.jsonValue({ maxDepth: 2 });
    fc.assert(fc.property(small, small, (a, b) => isSameJson(a, b) === (sorted(a) === sorted(b))));
    fc.assert(fc.property(small, (a) => isSameJson(a, structuredClone(a))));
  });

  it.each<[unknown, unknown]>([
    [{}, []],
    [[1], { 0: 1 }],
    [null, {}],
    [[1, 2], [1]],
    [[undefined], []],
    [{ a: null }, {}],
    [{ a: 1 }, { b: 1 }],
    [{ a: undefined, b: 1 }, { a: 1 }],
    [1n, 1],
    ['1', 1],
    [{ constructor: 1 }, { valueOf: 1 }],
  ])('tells %j from %j', (one, other) => {
    expect([isSameJson(one, other), isSameJson(other, one)]).toEqual([false, false]);
  });

  it('takes a member that is undefined for one that is absent', () => {
    expect(isSameJson({ a: undefined, b: [{ c: 1 }] }, { b: [{ c: 1, d: undefined }] })).toBe(true);
  });
});
