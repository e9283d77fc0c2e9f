import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Credentials } from '../../../src/kube/credentials.ts';
import { Transport, type Call } from '../../../src/kube/transport.ts';
import { answered, brokenOff, refusal, ScriptedServer, silent } from './servers.ts';

let server: ScriptedServer;
let transport: Transport;
let token: string;
let codes: string[];

beforeEach(async () => {
  server = new ScriptedServer();
  await server.start();
  token = 'good';
  codes = [];
  transport = new Transport(new Credentials(() => server.config(token)), ({ code }) => codes.push(code));
});
afterEach(async () => {
  await transport.close();
  await server.stop();
});

const read: Call = {
  verb: 'get',
  resource: 'pods',
  what: 'get pods a',
  method: 'GET',
  path: '/api/v1/pods/a',
  isRepeatable: true,
};
const create: Call = {
  ...read,
  verb: 'create',
  what: 'create pods a',
  method: 'POST',
  body: '{}',
  isRepeatable: false,
};
const send = (call: Partial<Call> = {}) => transport.send({ ...read, ...call });

describe('a call', () => {
  it.each([
    ['a fault of the server', refusal(503, 'ServiceUnavailable')],
    ['an answer that breaks off', brokenOff],
  ])('is repeated after %s if that is as good as once', async (_, injury) => {
    server.answers.push(injury, injury, answered(200, { a: 1 }));
    expect(JSON.parse(await send())).toEqual({ a: 1 });
    server.answers.push(injury, answered(201, {}));
    await expect(transport.send(create)).rejects.toMatchObject({ reason: 'KubernetesUnavailable', retry: 'backoff' });
    expect(server.asked.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'POST']);
  });

  it('waits for as long as the server asks, and is repeated then, whatever it is', async () => {
    server.answers.push(refusal(429, 'TooManyRequests', { 'retry-after': '1' }), answered(201, {}));
    const startedAt = performance.now();
    await transport.send(create);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
    expect(codes).toEqual(['429', '201']);
  });

  it('passes a longer time to wait on to its caller', async () => {
    server.answers.push(refusal(429, 'TooManyRequests', { 'retry-after': '30' }));
    await expect(send()).rejects.toMatchObject({ retry: { afterMs: 30_000 } });
    expect(server.asked).toHaveLength(1);
  });

  it('does not begin a wait that its deadline would not let it end', async () => {
    server.answers.push(refusal(429, 'TooManyRequests', { 'retry-after': '2' }));
    const startedAt = performance.now();
    await expect(send({ deadlineMs: 500 })).rejects.toMatchObject({ reason: 'KubernetesUnavailable' });
    expect(performance.now() - startedAt).toBeLessThan(450);
  });

  it('is given up when its deadline has passed, and says so', async () => {
    server.answers.push(silent);
    await expect(send({ deadlineMs: 100 })).rejects.toMatchObject({
      ...{
        reason: 'KubernetesUnavailable',
        message: 'Could not get pods a: the API server did not answer within 0.1 s',
      },
    });
    expect(codes).toEqual(['timeout']);
  });

  it('is given up at once when its caller gives up, and not tried again', async () => {
    server.answers.push(silent);
    const controller = new AbortController();
    const sent = send({ signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(sent).rejects.toMatchObject({ message: 'Could not get pods a: the call was given up' });
    expect([server.asked.length, codes]).toEqual([1, ['aborted']]);
  });

  it.each<[string, () => Partial<Call>, string]>([
    ['its deadline', () => ({ deadlineMs: 200 }), 'the API server did not answer within 0.2 s'],
    ['its caller', () => ({ signal: AbortSignal.timeout(200) }), 'the call was given up'],
  ])('is given up by %s also where somebody accepts the connection and says nothing', async (_, given, words) => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const config = new KubeConfig();
    const url = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: false }, { name: 'u' });
    const to = new Transport(new Credentials(() => config));
    const startedAt = performance.now();
    await expect(to.send({ ...read, ...given() })).rejects.toMatchObject({ message: `Could not get pods a: ${words}` });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await to.close();
    mute.close();
  });

  it('is tried again while nobody listens', async () => {
    const { url } = server;
    await server.stop();
    const closed = new Transport(new Credentials(() => server.config()), ({ code }) => codes.push(code));
    Object.defineProperty(server, 'url', { value: url });
    await expect(closed.send(create)).rejects.toMatchObject({ message: expect.stringContaining('(ECONNREFUSED)') });
    expect(codes).toEqual(Array.from({ length: 5 }, () => 'ECONNREFUSED'));
    await server.start();
    await closed.close();
  });
});

describe('a call whose credentials are refused', () => {
  it('is made once more with those that are there now', async () => {
    await send();
    token = 'better';
    server.answers.push(refusal(401, 'Unauthorized'), answered(201, {}));
    await transport.send(create);
    expect(server.asked.map(({ authorization }) => authorization)).toEqual([
      'Bearer good',
      'Bearer good',
      'Bearer better',
    ]);
  });

  it('fails when there are no others, and reads them once a second at most', async () => {
    let loads = 0;
    const one = new Transport(new Credentials(() => ((loads += 1), server.config())));
    for (let calls = 0; calls < 10; calls += 1) {
      server.answers.push(refusal(401, 'Unauthorized'));
      await expect(one.send(read)).rejects.toMatchObject({
        ...{
          reason: 'KubernetesForbidden',
          message: "Could not get pods a: the API server refused the operator's credentials",
        },
      });
    }
    expect([server.asked.length, loads <= 3]).toEqual([10, true]);
    await one.close();
  });
});

describe('a call behind a fence', () => {
  const lost = { reason: 'LeadershipLost', retry: 'never' };

  it('is not sent once the fence is down', async () => {
    const fence = { signal: AbortSignal.abort(), isHeld: () => true };
    await expect(send({ fence })).rejects.toMatchObject(lost);
    expect(server.asked).toEqual([]);
  });

  it('is not sent when the time is up, though nobody was told yet', async () => {
    const fence = { signal: new AbortController().signal, isHeld: () => false };
    await expect(send({ fence })).rejects.toMatchObject(lost);
    expect(server.asked).toEqual([]);
  });

  it('is given up in flight, and not repeated', async () => {
    const controller = new AbortController();
    server.answers.push((response) => {
      controller.abort();
      refusal(503, 'ServiceUnavailable')(response);
    });
    await expect(send({ fence: { signal: controller.signal, isHeld: () => true } })).rejects.toMatchObject(lost);
    expect(server.asked).toHaveLength(1);
  });

  it('is not repeated when the time runs out between two attempts', async () => {
    let isHeld = true;
    server.answers.push((response) => {
      isHeld = false;
      refusal(503, 'ServiceUnavailable')(response);
    });
    await expect(send({ fence: { signal: new AbortController().signal, isHeld: () => isHeld } })).rejects.toThrow();
    expect(server.asked).toHaveLength(1);
  });
});

describe('a stream', () => {
  const stream = (call: Partial<Call> = {}) =>
    transport.stream({ ...read, verb: 'watch', what: 'watch pods', isRepeatable: false, ...call });
  const textOf = async (chunks: AsyncIterable<Buffer>) => {
    let text = '';
    for await (const chunk of chunks) text += chunk.toString();
    return text;
  };

  it('gives what comes until the server ends it', async () => {
    server.answers.push(answered(200, { a: 1 }));
    expect(await textOf(stream())).toBe('{"a":1}');
  });

  it('fails when it breaks, when it is refused, and when its time is over', async () => {
    server.answers.push(brokenOff, refusal(403, 'Forbidden'), silent);
    await expect(textOf(stream())).rejects.toMatchObject({ reason: 'KubernetesUnavailable' });
    await expect(textOf(stream())).rejects.toMatchObject({ reason: 'KubernetesForbidden' });
    await expect(textOf(stream({ deadlineMs: 100 }))).rejects.toMatchObject({ reason: 'KubernetesUnavailable' });
    expect(server.asked).toHaveLength(3);
  });

  it('ends quietly when its reader gives up, and breaks its connection', async () => {
    const controller = new AbortController();
    const gone = Promise.withResolvers<undefined>();
    server.answers.push((response) => {
      response.once('close', () => gone.resolve(undefined));
      response.write('one\n', () => controller.abort());
    });
    expect(await textOf(stream({ signal: controller.signal }))).toMatch(/^(one\n)?$/);
    await gone.promise;
  });

  it('breaks its connection when its reader wants no more', async () => {
    const gone = Promise.withResolvers<undefined>();
    server.answers.push((response) => {
      response.once('close', () => gone.resolve(undefined));
      response.write('one\n');
    });
    for await (const chunk of stream()) {
      expect(chunk.toString()).toBe('one\n');
      break;
    }
    await gone.promise;
  });
});
