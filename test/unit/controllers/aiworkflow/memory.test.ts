import { describe, expect, it } from '@jest/globals';
import { RunMemory } from '../../../../src/controllers/aiworkflow/memory.ts';

const at = (seconds: number) => new Date(seconds * 1_000);

describe('the memory of a run', () => {
  it('begins with nothing', () => {
    const memory = new RunMemory();
    expect(memory.isHinted('u')).toBe(false);
    expect([memory.latestRunID('u'), memory.asked('u'), memory.seen('u')]).toEqual([undefined, undefined, undefined]);
  });

  it('keeps a hint that comes while Temporal is being asked', () => {
    const memory = new RunMemory();
    memory.hint('u');
    memory.asking('u');
    expect(memory.isHinted('u')).toBe(false);
    memory.hint('u');
    expect(memory.isHinted('u')).toBe(true);
  });

  it('knows when Temporal first said that it does not know the run, and asks again, until it is found', () => {
    const memory = new RunMemory();
    memory.asking('u');
    expect(memory.notFound('u', at(1))).toEqual(at(1));
    expect(memory.isHinted('u')).toBe(true);
    expect(memory.notFound('u', at(9))).toEqual(at(1));
    memory.isLive('u', 'r-2');
    expect(memory.latestRunID('u')).toBe('r-2');
    expect(memory.notFound('u', at(20))).toEqual(at(20));
  });

  it('knows since when Temporal could not be asked, until it answers', () => {
    const memory = new RunMemory();
    expect(memory.unknown('u', at(1))).toEqual(at(1));
    expect(memory.isHinted('u')).toBe(true);
    expect(memory.unknown('u', at(2))).toEqual(at(1));
    memory.notFound('u', at(3));
    expect(memory.unknown('u', at(4))).toEqual(at(4));
    memory.isLive('u', 'r');
    expect(memory.unknown('u', at(5))).toEqual(at(5));
  });

  it('knows since when a deletion is seen, and since when it must be hasty', () => {
    const memory = new RunMemory();
    expect([memory.deletionSeen('u', at(1)), memory.deletionSeen('u', at(2))]).toEqual([at(1), at(1)]);
    expect([memory.hasty('u', true, at(1)), memory.hasty('u', true, at(2))]).toEqual([at(1), at(1)]);
    expect(memory.hasty('u', false, at(3))).toBeUndefined();
    expect(memory.hasty('u', true, at(4))).toEqual(at(4));
  });

  it('is of one run alone, and goes when it is forgotten', () => {
    const memory = new RunMemory();
    memory.hint('u');
    memory.hasAsked('u', 'cancel');
    expect([memory.isHinted('v'), memory.asked('v')]).toEqual([false, undefined]);
    expect(memory.asked('u')).toBe('cancel');
    memory.forget('u');
    expect([memory.isHinted('u'), memory.asked('u')]).toEqual([false, undefined]);
  });

  it('holds the connection that a pass decided for', () => {
    const memory = new RunMemory();
    const resolution = { isUsable: false, key: 'k', reason: 'ConnectionNotReady', message: 'm' } as const;
    memory.sees('u', resolution);
    expect(memory.seen('u')).toBe(resolution);
  });
});
