import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OperatorError } from '../../../src/errors.ts';
import { EventRecorder } from '../../../src/runtime/event-recorder.ts';
import type { EventRecord, EventSink } from '../../../src/runtime/ports.ts';
import type { Reason } from '../../../src/api/reasons.ts';
import { memoryLog } from './sources.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** What an API server would hold, and the number of writes it took. */
class MemorySink implements EventSink {
  readonly counts = new Map<string, number>();
  writes = 0;
  failure: Error | undefined;
  isHanging = false;

  async create({ regarding, note }: EventRecord): Promise<{ name: string }> {
    await this.write();
    const name = `${regarding.name}.${note}.${this.writes}`;
    this.counts.set(name, 1);
    return { name };
  }

  async repeat(name: string, _: EventRecord, { count }: { count: number }): Promise<void> {
    await this.write();
    if (!this.counts.has(name)) throw new OperatorError('NotFound', 'gone', { retry: 'backoff' });
    this.counts.set(name, count);
  }

  private async write(): Promise<void> {
    this.writes += 1;
    if (this.isHanging) await new Promise(() => undefined);
    if (this.failure !== undefined) throw this.failure;
  }
}

const event = (note: string, name = 'a'): EventRecord => ({
  regarding: { apiVersion: 'v1', kind: 'Thing', name, namespace: 'ns', uid: `uid-${name}` },
  ...{ type: 'Normal', reason: 'Started', action: 'Start', note },
});

function recorder() {
  const sink = new MemorySink();
  const log = memoryLog();
  return { sink, log, recorder: new EventRecorder(sink, log) };
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const refusal = (reason: Reason) => new OperatorError(reason, 'no', { retry: 'backoff' });
const values = (sink: MemorySink) => [...sink.counts.values()];

describe('the event recorder', () => {
  it('writes an Event at once, and one that is repeated as the growing count of the same', async () => {
    const { sink, recorder: events } = recorder();
    events.record(event('x'));
    await pass(1);
    expect(values(sink)).toEqual([1]);
    for (let times = 0; times < 500; times += 1) events.record(event('x'));
    await pass(31_000);
    expect([values(sink), sink.writes]).toEqual([[501], 2]);
  });

  it('writes a count twice a minute at most, however often the Event is repeated', async () => {
    const { sink, recorder: events } = recorder();
    for (let second = 0; second < 300; second += 1) {
      events.record(event('x'));
      await pass(1_000);
    }
    expect(values(sink)).toEqual([expect.any(Number)]);
    expect(sink.writes).toBeLessThanOrEqual(12);
  });

  it('begins a new Event after ten silent minutes, and for other words or another resource', async () => {
    const { sink, recorder: events } = recorder();
    events.record(event('x'));
    events.record(event('y'));
    events.record(event('x', 'b'));
    await pass(11 * 60_000);
    events.record(event('x'));
    await pass(1_000);
    expect(values(sink)).toEqual([1, 1, 1, 1]);
  });

  it('lets no resource that always has something new to say bury the others', async () => {
    const { sink, log, recorder: events } = recorder();
    for (let index = 0; index < 400; index += 1) events.record(event(`note ${index}`, 'chatty'));
    events.record(event('x', 'quiet'));
    await pass(60_000);
    const names = [...sink.counts.keys()];
    expect(names.filter((name) => name.startsWith('chatty'))).toHaveLength(25);
    expect(names.filter((name) => name.startsWith('quiet'))).toHaveLength(1);
    expect(log.said).toEqual(['warn: too many events, some were not written']);
  });

  it('writes twenty a second at most, and in a storm drops what is too much', async () => {
    const { sink, log, recorder: events } = recorder();
    for (let index = 0; index < 3_000; index += 1) events.record(event('x', `thing-${index}`));
    await pass(10_000);
    expect(sink.writes).toBeLessThanOrEqual(201);
    await pass(120_000);
    expect(sink.counts.size).toBe(1_000);
    expect(log.said).toEqual(['warn: too many events, some were not written']);
  });

  it.each(['KubernetesForbidden', 'KubernetesRejected', 'NotFound'] as const)(
    'gives an Event up that the API server refuses, silently and without harm to others: %s',
    async (reason) => {
      const { sink, log, recorder: events } = recorder();
      sink.failure = refusal(reason);
      events.record(event('x'));
      await pass(10 * 60_000);
      expect(sink.writes).toBe(1);
      sink.failure = undefined;
      events.record(event('y'));
      await pass(1_000);
      expect([values(sink), log.said.filter((line) => !line.startsWith('debug'))]).toEqual([[1], []]);
    },
  );

  it('writes what it could not while the API server was away, within reason', async () => {
    const { sink, recorder: events } = recorder();
    sink.failure = refusal('KubernetesUnavailable');
    events.record(event('x'));
    await pass(61_000);
    sink.failure = undefined;
    await pass(31_000);
    expect(values(sink)).toEqual([1]);
    sink.failure = refusal('KubernetesUnavailable');
    const before = sink.writes;
    events.record(event('y'));
    await pass(3_600_000);
    expect(sink.writes - before).toBe(5);
  });

  it('begins anew an Event that has outlived its time on the server', async () => {
    const { sink, recorder: events } = recorder();
    events.record(event('x'));
    await pass(1_000);
    sink.counts.clear();
    for (let times = 0; times < 3; times += 1) {
      events.record(event('x'));
      await pass(31_000);
    }
    expect(values(sink)).toEqual([4]);
  });

  it('cuts a note to what the API server takes', async () => {
    const { sink, recorder: events } = recorder();
    events.record(event('ä'.repeat(2_000)));
    await pass(1_000);
    const [name = ''] = sink.counts.keys();
    expect(Buffer.byteLength(name)).toBeLessThan(1_024 + 10);
  });

  it('writes what waits before it stops, the latest counts too, and nothing afterwards', async () => {
    const { sink, recorder: events } = recorder();
    for (let times = 0; times < 7; times += 1) events.record(event('x'));
    events.record(event('y'));
    const stopped = events.stop();
    await pass(2_000);
    await stopped;
    events.record(event('z'));
    await pass(60_000);
    expect([values(sink), jest.getTimerCount()]).toEqual([[7, 1], 0]);
  });

  it('does not wait longer than two seconds for a server that does not answer', async () => {
    const { sink, recorder: events } = recorder();
    sink.isHanging = true;
    events.record(event('x'));
    let isStopped = false;
    void events.stop().then(() => (isStopped = true));
    await pass(2_001);
    expect([isStopped, jest.getTimerCount()]).toEqual([true, 0]);
  });
});
