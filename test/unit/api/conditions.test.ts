import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  boundBytes,
  Conditions,
  conditionsOf,
  firstBytes,
  isTrue,
  transition,
  type Condition,
  type Verdict,
} from '../../../src/api/conditions.ts';

const BEFORE = '2026-01-01T11:00:00.000Z';
const NOW = new Date('2026-01-01T12:00:00.000Z');

const before = (overrides: Partial<Condition> = {}): Condition => ({
  type: 'Ready',
  status: 'True',
  reason: 'Connected',
  message: 'Temporal answers',
  observedGeneration: 1,
  lastTransitionTime: BEFORE,
  ...overrides,
});

const verdict = (overrides: Partial<Verdict> = {}): Verdict => ({
  status: 'True',
  reason: 'Connected',
  message: 'Temporal answers',
  ...overrides,
});

describe('a condition', () => {
  const next = (overrides: Partial<Verdict> = {}) => ({ type: 'Ready', observedGeneration: 2, ...verdict(overrides) });

  it('that is new begins now', () => {
    expect(transition(undefined, next(), NOW)).toEqual(
      before({ observedGeneration: 2, lastTransitionTime: NOW.toISOString() }),
    );
  });

  it.each<Partial<Verdict>>([{}, { reason: 'Succeeded' }, { message: 'Another sentence' }])(
    'keeps its time while its status stays, whatever else changes: %p',
    (change) => expect(transition(before(), next(change), NOW)).toEqual(before({ observedGeneration: 2, ...change })),
  );

  it.each(['False', 'Unknown'] as const)('has a new time when its status becomes %s', (status) =>
    expect(transition(before(), next({ status }), NOW)).toMatchObject({
      status,
      lastTransitionTime: NOW.toISOString(),
    }),
  );

  it('has a message of at most 1,024 bytes', () => {
    const { message } = transition(undefined, next({ message: '😀'.repeat(500) }), NOW);
    expect(message).toBe(`${'😀'.repeat(255)}…`);
    expect(Buffer.byteLength(message)).toBe(1_023);
  });
});

describe('the conditions of a resource', () => {
  it('are those with a verdict, in its order; others are removed', () => {
    const previous = [before(), before({ type: 'Stalled' }), before({ type: 'Accepted' })];
    const verdicts = { Accepted: verdict(), Ready: verdict({ status: 'False' }), Stalled: undefined };
    expect(conditionsOf(previous, verdicts as never, 3, NOW)).toEqual([
      before({ type: 'Accepted', observedGeneration: 3 }),
      before({ status: 'False', observedGeneration: 3, lastTransitionTime: NOW.toISOString() }),
    ]);
  });

  it('of a resource without any begin now', () => {
    expect(conditionsOf(undefined, { Ready: verdict() }, 1, NOW)).toEqual([
      before({ lastTransitionTime: NOW.toISOString() }),
    ]);
  });

  it('fit the schema, which takes sixteen and no more', () => {
    const verdicts = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`Type${index}`, verdict()]));
    expect(Conditions.safeParse(conditionsOf([], verdicts(16), 1, NOW)).success).toBe(true);
    expect(Conditions.safeParse(conditionsOf([], verdicts(17), 1, NOW)).success).toBe(false);
  });

  it('are true only where they say so', () => {
    expect(isTrue([before()], 'Ready')).toBe(true);
    expect(isTrue([before({ status: 'Unknown' })], 'Ready')).toBe(false);
    expect(isTrue([before()], 'Stalled')).toBe(false);
    expect(isTrue(undefined, 'Ready')).toBe(false);
  });
});

describe('a bounded text', () => {
  it.each([
    ['short', 10, 'short'],
    ['exactly te', 10, 'exactly te'],
    ['more than ten', 10, 'more th…'],
    ['ééééé', 10, 'ééééé'],
    ['éééééé', 10, 'ééé…'],
    ['日本語日', 10, '日本…'],
    ['😀😀😀', 10, '😀…'],
    ['a\uFFFD\uFFFDbcdefghij', 10, 'a\uFFFD\uFFFD…'],
    ['\uFEFFabcdefghijk', 10, '\uFEFFabcd…'],
  ])('%p within %i bytes is %p', (text, max, expected) => expect(boundBytes(text, max)).toBe(expected));

  it('is a beginning of the text, whole code points, and as long as it can be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 3, max: 80 }), (text, max) => {
        const bounded = boundBytes(text, max);
        expect(Buffer.byteLength(bounded)).toBeLessThanOrEqual(max);
        if (Buffer.byteLength(text) <= max) expect(bounded).toBe(text);
        else expect(text.startsWith(bounded.slice(0, -1)) && bounded.endsWith('…')).toBe(true);
        const start = firstBytes(text, max);
        expect(text.startsWith(start)).toBe(true);
        const next = text.slice(start.length).codePointAt(0);
        const isFull = next === undefined || Buffer.byteLength(start + String.fromCodePoint(next)) > max;
        expect(isFull).toBe(true);
      }),
    );
  });
});
