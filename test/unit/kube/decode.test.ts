import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decode, encode, eventsOf, objectOf, pageOf } from '../../../src/kube/decode.ts';
import { pods, resourceName, leases } from '../../../src/kube/kinds.ts';
import { lines } from '../../../src/kube/lines.ts';
import { Expired } from '../../../src/runtime/ports.ts';

async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const size of sizes) {
    yield bytes.subarray(from, from + size);
    from += size;
  }
  yield bytes.subarray(from);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('the lines of a stream', () => {
  it('are the same however it is cut into pieces, amid a character too', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.array(fc.nat(9), { maxLength: 30 }),
        async (wanted, sizes) => {
          const bytes = Buffer.from(wanted.map((text) => `${text}\n`).join(''));
          expect(await all(lines(inPieces(bytes, sizes)))).toEqual(wanted.map((text) => Buffer.from(text).toString()));
        },
      ),
    );
  });

  it('do not include half a line at the end', async () => {
    expect(await all(lines(inPieces(Buffer.from('whole\nhal'), [3])))).toEqual(['whole']);
  });

  it('have a longest length', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.alloc(1024 * 1024, 'x');
    }
    await expect(all(lines(endless()))).rejects.toThrow('longer than');
  });
});

describe('a watch', () => {
  const stream = (...events: readonly unknown[]) =>
    inPieces(
      Buffer.from(events.map((event) => `${typeof event === 'string' ? event : JSON.stringify(event)}\n`).join('')),
      [7],
    );
  const pod = { metadata: { name: 'a', resourceVersion: '9007199254740993' } };

  it('gives its events, with the kind that lines of lists leave out', async () => {
    const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '12' } } };
    expect(await all(eventsOf(pods, 'watch pods', stream({ type: 'ADDED', object: pod }, bookmark)))).toEqual([
      { type: 'ADDED', object: { apiVersion: 'v1', kind: 'Pod', ...pod } },
      { type: 'BOOKMARK', resourceVersion: '12' },
    ]);
  });

  it('throws what the server reports amid it, and what is no JSON', async () => {
    const expired = { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } };
    await expect(
      all(eventsOf(pods, 'watch pods', stream({ type: 'ADDED', object: pod }, expired))),
    ).rejects.toBeInstanceOf(Expired);
    await expect(all(eventsOf(pods, 'watch pods', stream('<html>')))).rejects.toMatchObject({
      reason: 'KubernetesUnavailable',
    });
  });
});

describe('bodies', () => {
  it('keep integers that JavaScript would round', () => {
    const text = '{"id":9007199254740993,"n":1}';
    expect(encode('create x', decode('get x', text))).toBe(text);
  });

  it('that are no JSON are somebody else talking', () => {
    expect(() => decode('get pods', '<html>')).toThrow('Could not get pods: the answer is not JSON');
  });

  it('that are nested too deep are refused before they are sent', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 10_001; level += 1) deep = [deep];
    expect(() => encode('create x', deep)).toThrow(expect.objectContaining({ reason: 'TooLarge', retry: 'never' }));
  });

  it('of lists may have no items, and name the next page only if there is one', () => {
    const metadata = { resourceVersion: '5', continue: '' };
    expect(pageOf(pods, { items: null, metadata })).toEqual({ items: [], resourceVersion: '5' });
    expect(pageOf(pods, { items: [], metadata: { ...metadata, continue: 'x' } })).toMatchObject({ continue: 'x' });
  });

  it('of objects keep the kind they name', () => {
    expect(objectOf(pods, { apiVersion: 'v2', metadata: {} })).toMatchObject({ apiVersion: 'v2', kind: 'Pod' });
    expect([resourceName(pods), resourceName(leases)]).toEqual(['pods', 'leases.coordination.k8s.io']);
  });
});
