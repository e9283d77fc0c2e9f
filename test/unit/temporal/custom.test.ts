import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batch, CustomIDs } from '../../../src/temporal/custom.ts';

/** Asks about a batch, as a round of the watch does, and returns it. */
function round(custom: CustomIDs, high: number | undefined) {
  const next = custom.next(high);
  custom.asked(next.ids, high);
  return next;
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `id-${index}`);

describe('workflow IDs of users', () => {
  it('are named all at once where they fit', () => {
    const custom = new CustomIDs();
    custom.add('a', undefined);
    custom.add('b', 1_000);
    expect(custom.next(2_000)).toEqual({ ids: ['a', 'b'], from: 1_000 });
  });

  it('take turns where they do not, each asked about from its last turn on', () => {
    const custom = new CustomIDs();
    for (const id of numbered(450)) custom.add(id, 1_000);
    expect(round(custom, 2_000)).toEqual({ ids: numbered(450).slice(0, 200), from: 1_000 });
    expect(round(custom, 3_000)).toEqual({ ids: numbered(450).slice(200, 400), from: 1_000 });
    expect(round(custom, 4_000)).toEqual({
      ids: [...numbered(450).slice(400), ...numbered(150)],
      from: 1_000,
    });
    expect(round(custom, 5_000)).toEqual({
      ids: [...numbered(200).slice(150), ...numbered(350).slice(200)],
      from: 2_000,
    });
  });

  it('are asked about from the beginning of all time before any time was seen', () => {
    const custom = new CustomIDs();
    custom.add('a', undefined);
    expect(custom.next(undefined)).toEqual({ ids: ['a'], from: undefined });
  });

  it('ask about the present where there are none', () => {
    expect(new CustomIDs().next(2_000)).toEqual({ ids: [], from: 2_000 });
  });

  it('keep their turn when they are added again, and lose it when they are removed', () => {
    const custom = new CustomIDs();
    custom.add('a', 1_000);
    custom.add('a', 5_000);
    expect(custom.next(6_000)).toEqual({ ids: ['a'], from: 1_000 });
    custom.delete('a');
    custom.asked(['a'], 6_000);
    expect(custom.size).toBe(0);
  });

  it('begin anew on another cluster', () => {
    const custom = new CustomIDs();
    custom.add('a', 1_000);
    custom.reset();
    expect(custom.next(500)).toEqual({ ids: ['a'], from: 500 });
  });
});

describe('a batch', () => {
  it('holds one ID at least, however long it is', () => {
    expect(batch(['x'.repeat(30_000), 'y'])).toEqual(['x'.repeat(30_000)]);
  });

  it('counts bytes, not characters', () => {
    expect(batch(Array<string>(100).fill('😀'.repeat(250)))).toHaveLength(20);
  });

  it('is the beginning of what is left, within 200 IDs and 20,000 bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), { maxLength: 400 }),
        (ids) => {
          const taken = batch(ids);
          expect(taken).toEqual(ids.slice(0, taken.length));
          expect(taken.length).toBeLessThanOrEqual(200);
          expect(Buffer.byteLength(taken.join('')) <= 20_000 || taken.length === 1).toBe(true);
          expect(taken.length > 0 || ids.length === 0).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });
});
