import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseJson, stringifyJson } from '../../../src/api/json.ts';
import { jsonPayload, type Payload } from '../../../src/temporal/payload.ts';
import { resultOf } from '../../../src/temporal/result.ts';

const payload = (encoding: string, data: string | Uint8Array): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: typeof data === 'string' ? Buffer.from(data) : data,
});
const result = (data: string | Uint8Array) => resultOf([payload('json/plain', data)]);
const whole = (value: unknown) => ({ value, isTruncated: false });
const cut = (value: string) => ({ value, isTruncated: true });

describe('a result', () => {
  it.each<[string, readonly Payload[] | null | undefined, unknown]>([
    ['none', undefined, undefined],
    ['none, as an empty list', [], undefined],
    ['null', [payload('binary/null', '')], whole(null)],
    ['JSON null', [payload('json/plain', 'null')], whole(null)],
    ['an object', [payload('json/plain', '{"a":[1.5,"b"]}')], whole({ a: [1.5, 'b'] })],
    ['a protobuf message as JSON', [payload('json/protobuf', '{"a":1}')], whole({ a: 1 })],
    ['the first of several', [payload('json/plain', '1'), payload('json/plain', '2')], whole(1)],
    ['bytes', [payload('binary/plain', 'secret')], whole('<6 bytes, encoded as binary/plain>')],
    ['without an encoding', [{ data: Buffer.from('xy') }], whole('<2 bytes, encoded as unknown>')],
    ['what is labelled JSON and is none', [payload('json/plain', '{"a"')], whole('{"a"')],
    ['no data at all', [{ metadata: { encoding: Buffer.from('json/plain') } }], whole('')],
  ])('can be %s', (_, payloads, expected) => expect(resultOf(payloads)).toEqual(expected));

  it.each([
    ['9007199254740993', 9_007_199_254_740_993n],
    ['-9223372036854775807', -9_223_372_036_854_775_807n],
    ['9223372036854775807', 9_223_372_036_854_775_807n],
    ['9223372036854775808', '9223372036854775808'],
    ['1e400', '1e400'],
    ['0.1', 0.1],
  ])('keeps the number %s', (text, expected) => expect(result(text)).toEqual(whole(expected)));

  it('keeps a member called __proto__ a member', () => {
    const { value } = result('{"__proto__":{"polluted":1}}')!;
    expect(Object.getOwnPropertyNames(value)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('of just 4,096 bytes is shown, of one more is cut', () => {
    expect(result(`"${'x'.repeat(4_094)}"`)).toEqual(whole('x'.repeat(4_094)));
    expect(result(`"${'x'.repeat(4_095)}"`)).toEqual(cut(`"${'x'.repeat(4_095)}`));
  });

  it.each([
    [1, 'é'],
    [2, 'é'],
    [1, '€'],
    [3, '€'],
    [1, '😀'],
    [3, '😀'],
    [4, '😀'],
  ])('is cut at a code point, with %i bytes of room for %s', (room, character) => {
    const before = `"${'x'.repeat(4_095 - room)}`;
    const isWhole = Buffer.byteLength(character) <= room;
    expect(result(`${before}${character}${'y'.repeat(10)}"`)).toEqual(
      cut(isWhole ? `${before}${character}` + 'y'.repeat(room - Buffer.byteLength(character)) : before),
    );
  });

  it('of bytes that are no UTF-8, and so grow as text, is cut too', () => {
    expect(result(new Uint8Array(4_096).fill(0xff))).toEqual(cut('\uFFFD'.repeat(1_365)));
  });

  it('whatever it was never needs more than 4,096 bytes as text, and no code point is torn', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 6_000 }), (bytes) => {
        const { value } = result(bytes)!;
        const text = typeof value === 'string' ? value : stringifyJson(value);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
        expect(text.isWellFormed()).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('that fits comes back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'small', maxDepth: 4 }), (value) => {
        const text = stringifyJson(value);
        // Beyond 64 bits an integer becomes a string.
        fc.pre(Buffer.byteLength(text) <= 4_096 && !/\d{19}/.test(text));
        expect(resultOf([jsonPayload(value)])).toEqual(whole(parseJson(text)));
      }),
      { numRuns: 100 },
    );
  });
});
