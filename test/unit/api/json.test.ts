import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_DEPTH, parseJson, stringifyJson, TooDeep } from '../../../src/api/json.ts';

const nested = (levels: number, inside: string) => '['.repeat(levels) + inside + ']'.repeat(levels);

const anyKey = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '7'));
const { anyValue } = fc.letrec<{ anyValue: unknown }>((tie) => ({
  anyValue: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
    fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }).map(asParsed),
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('12345678901234567890', '\\"9007199254740993', '",9007199254740993'),
    ),
    fc.array(tie('anyValue')),
    fc.array(fc.tuple(anyKey, tie('anyValue'))).map(asData),
  ),
}));

/** An integer as parseJson would give it. */
function asParsed(integer: bigint): bigint | number {
  return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
}

/** An object whose every member is its own data, `__proto__` too. */
function asData(members: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of members) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}

describe('parseJson', () => {
  it('gives back what stringifyJson wrote, whatever it was', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        // Not toStrictEqual: that takes a member called `constructor` for the class.
        expect(isDeepStrictEqual(parseJson(stringifyJson(value)), value)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775807', -9223372036854775807n],
    ['9223372036854775808', 2 ** 63],
    ['1234567890123456.5', 1234567890123456.5],
    ['0.1234567890123456', 0.1234567890123456],
    ['1e12345678901234567', Infinity],
    ['1e-12345678901234567', 0],
    ['1234567890123456e1', 12345678901234560],
    ['"9007199254740993"', '9007199254740993'],
    [' \n[ 9007199254740993\t,\r9007199254740993 ] ', [9007199254740993n, 9007199254740993n]],
  ])('reads %s', (text, value) => {
    expect(parseJson(text)).toStrictEqual(value);
  });

  it('takes nothing inside a string for a number, however the string is escaped', () => {
    const strings = [
      '\\',
      '\\\\',
      '"',
      '\\"',
      '\\\\"',
      ':9007199254740993',
      '",9007199254740993,"',
      '\\",9007199254740993',
    ];
    const value = strings.map((string) => ({ [string]: string, n: 9007199254740993n }));
    expect(parseJson(stringifyJson(value))).toStrictEqual(value);
  });

  it('keeps __proto__ as data, also when it is a large integer, and changes no prototype', () => {
    const parsed = parseJson('{"__proto__":9007199254740993,"a":{"__proto__":{"polluted":9007199254740993}}}') as {
      readonly a: object;
    };
    expect(Object.getOwnPropertyDescriptor(parsed, '__proto__')?.value).toBe(9007199254740993n);
    expect(Object.getPrototypeOf(parsed.a)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
    expect(stringifyJson(parsed)).toBe(
      '{"__proto__":9007199254740993,"a":{"__proto__":{"polluted":9007199254740993}}}',
    );
  });

  it('reads and writes what is as deep as the API server accepts, with large integers in it or not', () => {
    for (const text of [nested(MAX_DEPTH, '1'), nested(MAX_DEPTH, '9007199254740993')]) {
      expect(stringifyJson(parseJson(text)) === text).toBe(true);
    }
  });

  it('survives a million levels', () => {
    expect(Array.isArray(parseJson(nested(1_000_000, '9007199254740993')))).toBe(true);
  });

  it('reports what is not JSON in the words that were given', () => {
    expect(() => parseJson('{"a": 9007199254740993')).toThrow(SyntaxError);
    expect(() => parseJson('[9007199254740993, nonsense]')).toThrow('..."4740993, nonsense]" is not valid JSON');
  });
});

describe('stringifyJson', () => {
  it('agrees with JSON.stringify wherever that can', () => {
    fc.assert(
      fc.property(fc.array(fc.anything({ withDate: true, withNullPrototype: true })), (value) => {
        let native: string;
        try {
          native = JSON.stringify([value, null]);
        } catch {
          return;
        }
        // The bigint sends the whole value down the slow way.
        expect(stringifyJson([value, 1n])).toBe(native.replace(/null\]$/, '1]'));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what is deeper than anybody would read, and circles', () => {
    expect(() => stringifyJson(parseJson(nested(MAX_DEPTH + 1, '')))).toThrow(TooDeep);
    const circle: unknown[] = [1n];
    circle.push(circle);
    expect(() => stringifyJson(circle)).toThrow(TooDeep);
  });
});
