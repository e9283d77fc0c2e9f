import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkPage, PageServer } from '../../../src/telemetry/server.ts';

let problem: string | undefined;
const server = new PageServer('pages', {
  ...{ port: 0, address: '127.0.0.1' },
  pages: {
    '/readyz': () => checkPage({ caches: () => problem, election: () => undefined }),
    '/metrics': async () => ({ status: 200, contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    '/broken': () => Promise.reject(new Error('a secret of ours')),
  },
});
beforeAll(() => server.start());
afterAll(() => server.stop());

const get = async (path: string, method = 'GET') => {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return [response.status, await response.text()];
};

/** What the server answers to bytes that no well-behaved client sends. */
async function answerTo(bytes: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.end(bytes);
  return text(socket);
}

describe('the page server', () => {
  it('says what is wrong, and that nothing is', async () => {
    problem = 'not all caches are filled yet';
    expect(await get('/readyz')).toEqual([503, 'caches: not all caches are filled yet\n']);
    problem = undefined;
    expect(await get('/readyz?verbose')).toEqual([200, 'ok\n']);
  });

  it('names the type of a page', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect([response.headers.get('content-type'), await response.text()]).toEqual([
      'text/plain; version=0.0.4',
      'up 1\n',
    ]);
  });

  it('finds no page where there is none, be it a name that every object has', async () => {
    for (const path of ['/', '/readyz/', '/constructor', '/__proto__']) expect((await get(path))[0]).toBe(404);
    expect((await get('/readyz', 'POST'))[0]).toBe(404);
    expect(await get('/readyz', 'HEAD')).toEqual([200, '']);
  });

  it('tells nobody why a page failed', async () => {
    expect(await get('/broken')).toEqual([500, 'failed\n']);
  });

  it.each(['//', '/%', '/\\', '*', 'http://[', 'constructor'])('survives a request for %s', async (target) => {
    const answer = await answerTo(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 (400|404)/);
    expect((await get('/readyz'))[0]).toBe(200);
  });

  it('survives garbage and half a request', async () => {
    expect(await answerTo('\x16\x03\x01 no http\r\n\r\n')).toMatch(/400/);
    await answerTo('GET /readyz HT');
    expect((await get('/readyz'))[0]).toBe(200);
  });

  it('fails to start on a port that is taken', async () => {
    const second = new PageServer('second', { port: server.port, address: '127.0.0.1', pages: {} });
    await expect(second.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await second.stop();
  });

  it('stops at once, whoever is still connected', async () => {
    const other = new PageServer('other', { port: 0, address: '127.0.0.1', pages: {} });
    await other.start();
    const idle = connect(other.port, '127.0.0.1');
    const closed = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => undefined);
    await new Promise((resolve) => idle.once('connect', resolve));
    await other.stop();
    await closed;
  });
});
