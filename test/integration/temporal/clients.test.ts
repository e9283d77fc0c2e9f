import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Method } from '../../../src/temporal/call.ts';
import { ClientPool, type TemporalClient } from '../../../src/temporal/clients.ts';
import { TokenBucket } from '../../../src/temporal/budget.ts';
import type { TemporalTarget } from '../../../src/temporal/connection.ts';
import { describeServer } from '../../../src/temporal/server.ts';
import { aCertificate, type Certificate } from '../../builders/certificate.ts';
import { until } from '../../cluster/poll.ts';
import { openFrontDoor, type FrontDoor, type FrontDoorOptions } from './frontdoor.ts';
import { startServer, type TestServer } from './processes.ts';

const NAMESPACE = 'default';
const authority = aCertificate('authority');
const serverCertificate = aCertificate('server', { issuer: authority, address: '127.0.0.1' });

let server: TestServer;
let pool: ClientPool;
const doors: FrontDoor[] = [];

beforeAll(async () => void (server = await startServer()));
afterAll(() => server.remove());
afterEach(async () => {
  pool.close();
  await Promise.all(doors.splice(0).map((door) => door.close()));
});

/** A pool of its own for each test, and a door before the server. */
async function aDoor(options: Partial<FrontDoorOptions> = {}): Promise<FrontDoor> {
  pool = new ClientPool({ identity: 'test', newBudget: () => new TokenBucket(1_000) });
  const door = await openFrontDoor(server.address, { server: serverCertificate, ...options });
  doors.push(door);
  return door;
}

const withKey = ({ address }: FrontDoor, apiKey: string): TemporalTarget => ({
  ...{ address, namespace: NAMESPACE, apiKey },
  tls: { ca: Buffer.from(authority.cert) },
});

const withCertificate = ({ address }: FrontDoor, { cert, key }: Certificate): TemporalTarget => ({
  ...{ address, namespace: NAMESPACE },
  tls: { ca: Buffer.from(authority.cert), cert: Buffer.from(cert), key: Buffer.from(key) },
});

const ask = (client: TemporalClient, extra: { deadlineMs?: number; signal?: AbortSignal } = {}) =>
  client.call('getSystemInfo', {}, { what: 'reach Temporal', priority: 'control', ...extra });

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

describe('two connections to the same address', () => {
  it('never share a connection, and so never credentials', async () => {
    const clients = ['a', 'b'].map((name) => aCertificate(`tenant-${name}`, { issuer: authority }));
    const door = await aDoor({ clientAuthority: authority });
    const [a, b] = clients.map((certificate, index) =>
      pool.get(`TemporalConnection/team-${index}/temporal`, withCertificate(door, certificate)),
    );
    await Promise.all([...times(10, () => ask(a!)), ...times(10, () => ask(b!))]);

    const pairs = new Set(door.calls.map(({ connection, clientName }) => `${clientName ?? ''} on ${connection}`));
    expect(pairs.size).toBe(2);
    expect(new Set(door.calls.map(({ connection }) => connection)).size).toBe(2);
    expect(door.calls.filter(({ clientName }) => clientName === 'tenant-a')).toHaveLength(10);
    expect(door.calls.filter(({ clientName }) => clientName === 'tenant-b')).toHaveLength(10);
  });

  it('are served though the other one has credentials that are refused', async () => {
    const door = await aDoor({ apiKeys: ['good'] });
    const good = pool.get('TemporalConnection/team-a/temporal', withKey(door, 'good'));
    const bad = pool.get('TemporalConnection/team-b/temporal', withKey(door, 'bad'));
    await expect(ask(bad)).rejects.toMatchObject({ reason: 'TemporalUnauthenticated', retry: 'backoff' });
    await expect(ask(good)).resolves.toBeDefined();
    expect(door.calls.map(({ apiKey }) => apiKey)).toEqual(['bad', 'good']);
  });
});

describe('a client', () => {
  it('stays connected once and for ever, and is the same for the same key', async () => {
    const door = await aDoor({ apiKeys: ['key'] });
    const client = pool.get('key', withKey(door, 'key'));
    for (let index = 0; index < 5; index += 1) await ask(pool.get('key', withKey(door, 'key')));
    expect(pool.get('key', withKey(door, 'key'))).toBe(client);
    expect(new Set(door.calls.map(({ connection }) => connection)).size).toBe(1);
  });

  it('drops no call in flight when its API key is rotated', async () => {
    const door = await aDoor({ apiKeys: ['old', 'new'] });
    const client = pool.get('key', withKey(door, 'old'));
    await ask(client);
    const release = door.hold();
    const before = times(20, () => ask(client));
    await until('the calls to arrive', 10_000, () => door.calls.length === 21);
    expect(pool.get('key', withKey(door, 'new'))).toBe(client);
    const after = times(20, () => ask(client));
    await until('the later calls to arrive', 10_000, () => door.calls.length === 41);
    release();

    await expect(Promise.all([...before, ...after])).resolves.toHaveLength(40);
    const keys = door.calls.map(({ apiKey }) => apiKey);
    expect(keys.slice(1)).toEqual([...times(20, () => 'old'), ...times(20, () => 'new')]);
    await until('the old connection to be closed', 10_000, () => door.connections() === 1);
  });

  it('drops no call in flight when its certificate and the authority are rotated', async () => {
    const next = aCertificate('next authority');
    const door = await aDoor({ clientAuthority: authority });
    const client = pool.get('key', withCertificate(door, aCertificate('old', { issuer: authority })));
    await ask(client);
    const release = door.hold();
    const before = times(10, () => ask(client));
    await until('the calls to arrive', 10_000, () => door.calls.length === 11);
    door.rotate(aCertificate('server', { issuer: next, address: '127.0.0.1' }), next);
    const { cert, key } = aCertificate('new', { issuer: next });
    const tls = { ca: Buffer.from(next.cert), cert: Buffer.from(cert), key: Buffer.from(key) };
    pool.get('key', { address: door.address, namespace: NAMESPACE, tls });
    const after = times(10, () => ask(client));
    await until('the later calls to arrive', 10_000, () => door.calls.length === 21);
    release();

    await expect(Promise.all([...before, ...after])).resolves.toHaveLength(20);
    expect(door.calls.slice(11).every(({ clientName }) => clientName === 'new')).toBe(true);
  });

  it('keeps what it had where the new credentials cannot be used at all, and does not tell them', async () => {
    const door = await aDoor({ apiKeys: ['good'] });
    const client = pool.get('key', withKey(door, 'good'));
    const secret = 'not one line\nof ASCII: sécret';
    expect(() => pool.get('key', withKey(door, secret))).toThrow(
      'Could not connect to Temporal: the API key holds characters that gRPC cannot send',
    );
    const broken = { cert: '-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----', key: 'secret' };
    expect(() => pool.get('key', withCertificate(door, { name: 'x', ...broken }))).toThrow(
      /^Could not connect to Temporal: the TLS material cannot be used \((?!.*secret).*\)$/,
    );
    await expect(ask(client)).resolves.toBeDefined();
  });

  it('says that a server which is not whom it should be cannot be reached', async () => {
    const door = await aDoor();
    const stranger = aCertificate('another authority');
    const client = pool.get('key', {
      ...{ address: door.address, namespace: NAMESPACE },
      tls: { ca: Buffer.from(stranger.cert) },
    });
    await expect(ask(client)).rejects.toMatchObject({
      reason: 'TemporalUnavailable',
      message: expect.stringMatching(/^Could not reach Temporal: Temporal is unavailable: .*certificate/i),
    });
    expect(door.calls).toEqual([]);
  });

  it('without a certificate is told that it is refused, where one is asked for', async () => {
    const door = await aDoor({ clientAuthority: authority });
    const tls = { ca: Buffer.from(authority.cert) };
    const client = pool.get('key', { address: door.address, namespace: NAMESPACE, tls });
    await expect(ask(client)).rejects.toMatchObject({ reason: 'TemporalUnauthenticated', retry: 'backoff' });
  });

  it('lets calls in flight finish when it is dropped, and refuses later ones', async () => {
    const door = await aDoor({ apiKeys: ['key'] });
    const client = pool.get('key', withKey(door, 'key'));
    const release = door.hold();
    const inFlight = ask(client);
    await until('the call to arrive', 10_000, () => door.calls.length === 1);
    pool.drop('key');
    await expect(ask(client)).rejects.toMatchObject({ reason: 'ConnectionNotReady' });
    release();
    await expect(inFlight).resolves.toBeDefined();
    await until('the connection to be closed', 10_000, () => door.connections() === 0);
  });
});

describe('a call', () => {
  it('has a deadline of at most ten seconds, whatever it is', async () => {
    const door = await aDoor();
    const { apiKey: _, ...target } = withKey(door, 'x');
    const client = pool.get('key', target);
    const execution = { workflowId: 'none' };
    const requests: Record<Method, object> = {
      describeNamespace: {},
      describeTaskQueue: { taskQueue: { name: 'queue' } },
      describeWorkflowExecution: { execution },
      getClusterInfo: {},
      getSystemInfo: {},
      getWorkflowExecutionHistoryReverse: { execution },
      listWorkers: {},
      listWorkflowExecutions: {},
      requestCancelWorkflowExecution: { workflowExecution: execution },
      startWorkflowExecution: {},
      terminateWorkflowExecution: { workflowExecution: execution },
    };
    for (const [method, request] of Object.entries(requests)) {
      await client.call(method as Method, request, { what: 'x', priority: 'control' }).catch(() => undefined);
    }
    const made = new Set(door.calls.map((call) => call.method.toLowerCase()));
    expect(made).toEqual(new Set(Object.keys(requests).map((method) => method.toLowerCase())));
    const timeouts = door.calls.map(({ timeoutMs }) => timeoutMs ?? Infinity);
    expect(Math.max(...timeouts)).toBeLessThanOrEqual(10_000);
  });

  it('that is not answered ends at its deadline', async () => {
    const door = await aDoor();
    const { apiKey: _, ...target } = withKey(door, 'x');
    const client = pool.get('key', target);
    const release = door.hold();
    const began = performance.now();
    await expect(ask(client, { deadlineMs: 500 })).rejects.toMatchObject({
      reason: 'TemporalUnavailable',
      message: 'Could not reach Temporal: Temporal did not answer in time',
    });
    expect(performance.now() - began).toBeLessThan(5_000);
    release();
  });

  it('ends when its caller gives up', async () => {
    const door = await aDoor();
    const { apiKey: _, ...target } = withKey(door, 'x');
    const client = pool.get('key', target);
    const release = door.hold();
    const giveUp = new AbortController();
    const call = ask(client, { signal: giveUp.signal });
    await until('the call to arrive', 10_000, () => door.calls.length === 1);
    giveUp.abort();
    await expect(call).rejects.toMatchObject({
      reason: 'TemporalUnavailable',
      message: expect.stringMatching(/given up/),
    });
    release();
  });

  it('that waits too long for the budget of its namespace says so, and costs Temporal nothing', async () => {
    const door = await aDoor();
    pool = new ClientPool({ identity: 'test', newBudget: () => new TokenBucket(1) });
    const { apiKey: _, ...target } = withKey(door, 'x');
    const client = pool.get('key', target);
    await ask(client);
    await expect(ask(client, { deadlineMs: 300 })).rejects.toMatchObject({
      reason: 'TemporalUnavailable',
      message: 'Could not reach Temporal: too many calls to this Temporal namespace are waiting',
    });
    expect(door.calls).toHaveLength(1);
  });
});

describe('a Temporal', () => {
  const plain = () => {
    pool = new ClientPool({ identity: 'test', newBudget: () => new TokenBucket(1_000) });
    return pool.get('key', { address: server.address, namespace: NAMESPACE });
  };

  it('that hangs is unavailable within the deadline, and is used again when it goes on', async () => {
    const client = plain();
    await ask(client);
    server.freeze();
    const began = performance.now();
    const calls = await Promise.allSettled(times(10, () => ask(client, { deadlineMs: 1_000 })));
    const tookMs = performance.now() - began;
    server.thaw();
    expect(calls.map((call) => call.status === 'rejected' && (call.reason as { reason: string }).reason)).toEqual(
      times(10, () => 'TemporalUnavailable'),
    );
    expect(tookMs).toBeLessThan(10_000);
    await until('an answer', 20_000, () => ask(client, { deadlineMs: 2_000 }));
  });

  it('that is killed is unavailable at once, and is used again when it is back', async () => {
    const client = plain();
    await ask(client);
    await server.kill();
    await expect(ask(client, { deadlineMs: 2_000 })).rejects.toMatchObject({
      reason: 'TemporalUnavailable',
      message: expect.not.stringMatching(/\d{4}-\d\d-\d\dT/),
    });
    await server.startAgain();
    await until('an answer', 20_000, () => ask(client, { deadlineMs: 2_000 }));
  });

  it('describes itself; a namespace that it does not have is a matter of its own', async () => {
    await expect(describeServer(plain())).resolves.toEqual({
      serverVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
      clusterID: expect.stringMatching(/.+/),
      namespaceID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      capabilities: expect.arrayContaining(['workerHeartbeats', 'workflowPause']),
      retentionMs: 24 * 3_600_000,
    });
    const missing = pool.get('other', { address: server.address, namespace: 'nowhere' });
    await expect(describeServer(missing)).rejects.toMatchObject({
      reason: 'TemporalNamespaceNotFound',
      retry: 'backoff',
      message: 'Could not reach Temporal: Namespace nowhere is not found.',
    });
  });
});
