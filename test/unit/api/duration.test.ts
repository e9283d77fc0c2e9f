import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { durationMs, formatDuration } from '../../../src/api/duration.ts';
import { duration } from '../../../src/api/fields.ts';

const schema = duration('A duration.');

describe('a Go duration', () => {
  it.each([
    ['0s', 0],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['1m0.5s', 60_500],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1ns', 0.000_001],
    ['168h', 604_800_000],
    ['30m1h', 5_400_000],
  ])('%s is %d ms', (text, ms) => {
    expect(schema.safeParse(text).success).toBe(true);
    expect(durationMs(text)).toBeCloseTo(ms, 9);
  });

  it.each(['', '30', 's', '-5s', '1 h', '1d', '5S', '1h-', '1..5s', '.5s', '1s\n', '٣s', 'NaNs', '1e3s', '0x1s'])(
    'is not %p',
    (text) => {
      expect(schema.safeParse(text).success).toBe(false);
      expect(durationMs(text)).toBeNaN();
    },
  );

  it.each(['1h'.repeat(17), '12345678h', '1.1234567890s'])('is refused where it is too long: %s', (text) =>
    expect(schema.safeParse(text).success).toBe(false),
  );

  it('is a finite number whatever passes the schema, and is none whatever is no duration', () => {
    const unit = fc.constantFrom('h', 'm', 's', 'ms', 'us', 'µs', 'ns', '1', '0.5', '.', '-', ' ', 'd');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(unit, { maxLength: 8 }).map((units) => units.join('')),
          fc.string(),
        ),
        (text) => {
          if (schema.safeParse(text).success) expect(Number.isFinite(durationMs(text))).toBe(true);
          else if (text.length <= 32 && !/\d{8}|\.\d{10}/.test(text)) expect(durationMs(text)).toBeNaN();
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a duration in words', () => {
  it.each([
    [0, '0ms'],
    [0.4, '0ms'],
    [250, '250ms'],
    [999.6, '1s'],
    [1_000, '1s'],
    [1_499, '1s'],
    [59_600, '1m'],
    [90_000, '1m30s'],
    [3_600_000, '1h'],
    [3_601_000, '1h1s'],
    [86_400_000, '24h'],
    [3_599_999, '1h'],
  ])('of %d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('is a duration again, rounded to what it shows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => {
        const text = formatDuration(ms);
        expect(schema.safeParse(text).success).toBe(true);
        expect(Math.abs(durationMs(text) - ms)).toBeLessThanOrEqual(ms < 1_000 ? 0.5 : 500);
      }),
    );
  });
});
