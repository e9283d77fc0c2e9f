import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { handOut, hostOf, type QueueMember } from '../../../../src/controllers/worker/handout.ts';

const member = (key: string, overrides: Partial<QueueMember> = {}): QueueMember => ({
  key,
  freeSlots: 0,
  roomSlots: 8,
  isBlocked: false,
  replicas: 0,
  slotsPerTask: 1,
  ...overrides,
});

describe('waiting tasks among the Workers of one queue', () => {
  it.each<[string, number, readonly QueueMember[], Record<string, number>]>([
    ['one alone gets them all', 5, [member('a')], { a: 5 }],
    ['one alone asks for more than it has room for', 12, [member('a')], { a: 12 }],
    ['the first by name grows first', 5, [member('b'), member('a')], { a: 5, b: 0 }],
    ['the next one grows when the first is full', 10, [member('a'), member('b')], { a: 8, b: 2 }],
    ['free slots come before growth', 5, [member('a'), member('b', { freeSlots: 3 })], { a: 2, b: 3 }],
    ['a blocked one comes last', 10, [member('a', { isBlocked: true }), member('b')], { a: 2, b: 8 }],
    ['short tasks share slots', 100, [member('a', { slotsPerTask: 0.05 })], { a: 5 }],
    [
      'one that does not follow the queue only gives its free slots',
      5,
      [member('a', { roomSlots: 0, freeSlots: 2 }), member('b')],
      { a: 2, b: 3 },
    ],
  ])('%s', (_, waiting, members, shares) => {
    expect(Object.fromEntries(handOut(waiting, members))).toEqual(shares);
  });

  const members = fc.uniqueArray(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      freeSlots: fc.nat(5),
      roomSlots: fc.nat(10),
      isBlocked: fc.boolean(),
      replicas: fc.nat(3),
      slotsPerTask: fc.constant(1),
    }),
    { selector: ({ key }) => key, minLength: 1 },
  );

  it('are all handed out, each once, whatever the order of the list', () => {
    fc.assert(
      fc.property(fc.nat(50), members, (waiting, list) => {
        const shares = handOut(waiting, list);
        expect([...shares.values()].reduce((a, b) => a + b, 0)).toBe(waiting);
        expect(handOut(waiting, [...list].reverse())).toEqual(shares);
      }),
    );
  });

  it('never give anybody less when more wait', () => {
    fc.assert(
      fc.property(fc.nat(50), members, (waiting, list) => {
        const fewer = handOut(waiting, list);
        const more = handOut(waiting + 1, list);
        for (const { key } of list) expect(more.get(key)).toBeGreaterThanOrEqual(fewer.get(key)!);
      }),
    );
  });
});

describe('the Worker that keeps a pod for workflow tasks', () => {
  it.each<[string, readonly QueueMember[], string]>([
    ['is the first that has one', [member('a'), member('b', { replicas: 1 })], 'b'],
    ['else the first that may grow', [member('a', { roomSlots: 0 }), member('b'), member('c')], 'b'],
    ['is not one that finds no node', [member('a', { replicas: 1, isBlocked: true }), member('b')], 'b'],
  ])('%s', (_, members, host) => {
    expect(hostOf(members)).toBe(host);
  });
});
