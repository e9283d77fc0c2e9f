import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Connection } from '../../../src/api/connection.ts';
import type { Reason } from '../../../src/api/reasons.ts';
import { aCertificate, type Certificate } from '../../builders/certificate.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { until } from '../../cluster/poll.ts';
import { applyCrds, cluster, freshNamespace, freshTemporalNamespace } from '../../cluster/shared.ts';
import { connection as draft, create, patch, send } from '../policies/requests.ts';
import { applyPolicies, tenant } from '../policies/tenants.ts';
import { openFrontDoor, type FrontDoor } from '../temporal/frontdoor.ts';
import { startOperator, type OperatorProcess } from './process.ts';
import { conditionOf, Runs } from './runs.ts';
import { Secrets } from './secrets.ts';

jest.setTimeout(120_000);

const authority = aCertificate('authority');
const serverCertificate = aCertificate('server', { issuer: authority, address: '127.0.0.1' });

let shared: LocalCluster;
let operator: OperatorProcess;
let temporalNamespace: string;
/** Of a namespace whose Secrets the operator may read. */
let runs: Runs;
/** Of one where it may not, until somebody allows it. */
let closed: Runs;
let secrets: Secrets;
const doors: FrontDoor[] = [];

beforeAll(async () => {
  shared = await cluster();
  await applyCrds(shared);
  await applyPolicies(shared);
  const [own, other] = [await freshNamespace(shared, 'connections'), await freshNamespace(shared, 'closed')];
  temporalNamespace = await freshTemporalNamespace(shared, 'connections');
  runs = new Runs(shared, own);
  closed = new Runs(shared, other, own);
  secrets = new Secrets(shared.api);
  await secrets.put(own, 'ca', { 'ca.crt': authority.cert });
  operator = await startOperator(shared, own, { serves: [own, other], tenants: [own] });
}, 180_000);

afterAll(async () => {
  await operator.kill('SIGTERM');
  await Promise.all(doors.map((door) => door.close()));
  shared.api.close();
});

const caSecretRef = { name: 'ca', key: 'ca.crt' };
const ready = { type: 'Ready', status: 'True', reason: 'Connected' } as const;

async function aDoor(options: { clientAuthority?: Certificate; apiKeys?: readonly string[] }): Promise<FrontDoor> {
  const door = await openFrontDoor(shared.temporalAddress, { server: serverCertificate, ...options });
  doors.push(door);
  return door;
}

/** Creates a connection, whatever becomes of it. */
async function connect(name: string, spec: Readonly<Record<string, unknown>>, where = runs): Promise<void> {
  await where.create('temporalconnections', 'TemporalConnection', name, { namespace: temporalNamespace, ...spec });
}

const get = (name: string) => shared.api.call<Connection>(runs.path('temporalconnections', name));

/** The sentence with which a connection says that it is not ready. */
async function whyNot(name: string, reason: Reason, where = runs): Promise<string> {
  const found = await where.untilConnection(name, { type: 'Ready', status: 'False', reason }, 40_000);
  expect(conditionOf(found, 'Reconciling')).toMatchObject({ status: 'True', reason });
  return conditionOf(found, 'Ready')?.message ?? '';
}

const keySecret = (key: string) => ({ key });
const pair = ({ cert, key }: Certificate) => ({ 'tls.crt': cert, 'tls.key': key });
const withKey = (door: FrontDoor, secret: string) => ({
  ...{ address: door.address, tls: { caSecretRef } },
  apiKeySecretRef: { name: secret, key: 'key' },
});
const withCertificate = (door: FrontDoor, secret: string) => ({
  address: door.address,
  tls: { caSecretRef, clientCertSecretRef: { name: secret } },
});

/** Calls to Temporal so far that were not answered well. */
async function failedCalls(): Promise<number> {
  const all = await operator.metric('aiworkflow_temporal_calls_total');
  const good = await operator.metric('aiworkflow_temporal_calls_total{method="startWorkflowExecution",code="OK"');
  const methods = ['describeNamespace', 'getClusterInfo', 'getSystemInfo', 'listWorkflowExecutions'];
  const rest = methods.map((method) => operator.metric(`aiworkflow_temporal_calls_total{method="${method}",code="OK"`));
  return all - (await Promise.all(rest)).reduce((sum, count) => sum + count, good);
}

describe('a connection', () => {
  it('to a Temporal without TLS is ready, and says what is there', async () => {
    await connect('plain', { address: shared.temporalAddress });
    const { status } = await runs.untilConnection('plain', ready);
    expect(status).toMatchObject({
      observedGeneration: 1,
      serverVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
      clusterID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      capabilities: expect.arrayContaining(['workerHeartbeats', 'workflowPause']),
      retention: '24h',
    });
    expect(status.conditions?.map(({ type, status: is }) => `${type}=${is}`)).toEqual(['Accepted=True', 'Ready=True']);
    expect(conditionOf({ status }, 'Ready')?.message).toBe(`Temporal ${status.serverVersion ?? ''} answers`);
  });

  it('warns where outcomes are kept for less than a day', async () => {
    const short = `${temporalNamespace}-short`;
    await shared.temporal(['operator', 'namespace', 'create', '--namespace', short, '--retention', '23h']);
    await connect('short', { address: shared.temporalAddress, namespace: short });
    const found = await runs.untilConnection('short', ready, 40_000);
    expect(found.status.retention).toBe('23h');
    expect(conditionOf(found, 'Ready')?.message).toMatch(/ answers; closed runs are kept for 23h only: /);
  });

  it('shows its client certificate, and the next one as soon as the Secret holds it, without a failed call', async () => {
    const door = await aDoor({ clientAuthority: authority });
    await secrets.put(runs.namespace, 'client', pair(aCertificate('first', { issuer: authority })));
    await connect('mtls', withCertificate(door, 'client'));
    await runs.untilConnection('mtls', ready);
    expect(new Set(door.calls.map(({ clientName }) => clientName))).toEqual(new Set(['first']));

    const before = await failedCalls();
    await secrets.put(runs.namespace, 'client', pair(aCertificate('second', { issuer: authority })));
    await until('the second certificate', 15_000, () => door.calls.at(-1)?.clientName === 'second');
    await runs.apply('after-rotation', { type: 'Unserved' }, { connectionRef: { name: 'mtls' } });
    await runs.untilStarted('after-rotation');
    expect(await failedCalls()).toBe(before);
    const names = door.calls.map(({ clientName }) => clientName);
    expect(names.slice(names.indexOf('second'))).not.toContain('first');
    expect(operator.isRunning()).toBe(true);
  });

  it('shows its API key, and the next one while runs are started, without a failed call', async () => {
    const door = await aDoor({ apiKeys: ['first-key-of-tests', 'second-key-of-tests'] });
    await secrets.put(runs.namespace, 'cloud', keySecret('first-key-of-tests'));
    await connect('keyed', withKey(door, 'cloud'));
    await runs.untilConnection('keyed', ready);
    const before = await failedCalls();
    const start = (name: string) => runs.apply(name, { type: 'Unserved' }, { connectionRef: { name: 'keyed' } });
    const names = Array.from({ length: 12 }, (_, index) => `keyed-${index}`);
    for (const name of names.slice(0, 6)) await start(name);
    await secrets.put(runs.namespace, 'cloud', keySecret('second-key-of-tests'));
    for (const name of names.slice(6)) await start(name);
    await until('the second key', 15_000, () => door.calls.at(-1)?.apiKey === 'second-key-of-tests');
    door.apiKeys = ['second-key-of-tests'];
    await start('keyed-last');
    for (const name of [...names, 'keyed-last']) await runs.untilStarted(name);
    expect(await failedCalls()).toBe(before);
    const keys = door.calls.map(({ apiKey }) => apiKey);
    expect(keys.slice(keys.indexOf('second-key-of-tests'))).not.toContain('first-key-of-tests');
    expect(new Set(keys)).toEqual(new Set(['first-key-of-tests', 'second-key-of-tests']));
  });

  it('never shows the credentials of another to the same address', async () => {
    const door = await aDoor({ apiKeys: ['key-of-team-a-only', 'key-of-team-b-only'] });
    for (const team of ['a', 'b']) {
      await secrets.put(runs.namespace, `team-${team}`, keySecret(`key-of-team-${team}-only`));
      await connect(`team-${team}`, withKey(door, `team-${team}`));
    }
    await Promise.all(['team-a', 'team-b'].map((name) => runs.untilConnection(name, ready)));
    const keysOn = Map.groupBy(door.calls, ({ connection }) => connection);
    for (const calls of keysOn.values()) expect(new Set(calls.map(({ apiKey }) => apiKey)).size).toBe(1);
    expect(keysOn.size).toBe(2);
  });
});

describe('a connection that cannot be used says why, and goes on by itself once it can:', () => {
  it('a Secret that is not there, or without the key', async () => {
    const door = await aDoor({ apiKeys: ['a-key-that-comes-late'] });
    await connect('late', withKey(door, 'late'));
    expect(await whyNot('late', 'SecretNotFound')).toBe(`There is no Secret late in namespace ${runs.namespace}`);
    expect(conditionOf(await get('late'), 'Accepted')).toMatchObject({ status: 'False', reason: 'SecretNotFound' });
    await secrets.put(runs.namespace, 'late', { other: 'x' });
    await until('the missing key to be named', 40_000, async () =>
      (await whyNot('late', 'SecretNotFound')).endsWith('Secret late has no value under the key key'),
    );
    await secrets.put(runs.namespace, 'late', keySecret('a-key-that-comes-late'));
    await runs.untilConnection('late', ready);
    expect(door.calls.every(({ apiKey }) => apiKey === 'a-key-that-comes-late')).toBe(true);
  });

  it('a Secret that it may not read; the command in the message allows it', async () => {
    const door = await aDoor({ apiKeys: ['a-key-behind-a-closed-door'] });
    await secrets.put(closed.namespace, 'ca', { 'ca.crt': authority.cert });
    await secrets.put(closed.namespace, 'cloud', keySecret('a-key-behind-a-closed-door'));
    await connect('forbidden', withKey(door, 'cloud'), closed);
    const message = await whyNot('forbidden', 'SecretForbidden', closed);
    expect(message).toMatch(/^The operator may not read Secret ca; whoever may: kubectl create rolebinding /);
    expect(door.calls).toEqual([]);
    const command = /kubectl (create rolebinding .*)$/.exec(message)?.[1] ?? '';
    await shared.kubectl(command.split(' '));
    await closed.untilConnection('forbidden', ready, 60_000);
  });

  const expired = aCertificate('expired', { notAfter: new Date(Date.now() - 60_000), issuer: authority });
  const other = aCertificate('other', { issuer: authority });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'no-certificate',
      { 'tls.crt': 'not a certificate at all', 'tls.key': other.key },
      /^Secret no-certificate, key tls.crt: this is not a PEM certificate$/,
    ],
    [
      'no-private-key',
      { 'tls.crt': other.cert, 'tls.key': 'not a private key at all' },
      /^Secret no-private-key, key tls.key: this is not a PEM private key$/,
    ],
    [
      'another-key',
      { 'tls.crt': other.cert, 'tls.key': expired.key },
      /^Secret another-key, key tls.key: the private key is not that of the certificate$/,
    ],
    ['expired', pair(expired), /^Secret expired, key tls.crt: the certificate expired on .* GMT$/],
  ])('a Secret with %s', async (name, values, message) => {
    const door = await aDoor({ clientAuthority: authority });
    await secrets.put(runs.namespace, name, values);
    await connect(name, withCertificate(door, name));
    expect(await whyNot(name, 'SecretInvalid')).toMatch(message);
    expect(door.calls).toEqual([]);
    await secrets.put(runs.namespace, name, pair(other));
    await runs.untilConnection(name, ready);
  });

  it('an API key that no header can carry', async () => {
    const door = await aDoor({ apiKeys: ['fine-and-long-enough'] });
    await secrets.put(runs.namespace, 'two-lines', keySecret('the first line\nand the second'));
    await connect('two-lines', withKey(door, 'two-lines'));
    expect(await whyNot('two-lines', 'SecretInvalid')).toBe(
      'Secret two-lines, key key: an API key is one line of visible ASCII characters',
    );
    await secrets.put(runs.namespace, 'two-lines', keySecret('fine-and-long-enough\n'));
    await runs.untilConnection('two-lines', ready);
  });

  it('credentials that Temporal refuses', async () => {
    const door = await aDoor({ apiKeys: ['the-key-that-is-right'] });
    await secrets.put(runs.namespace, 'refused', keySecret('the-key-that-is-wrong'));
    await connect('refused', withKey(door, 'refused'));
    expect(await whyNot('refused', 'TemporalUnauthenticated')).toBe('Could not reach Temporal: Request unauthorized.');
    await secrets.put(runs.namespace, 'refused', keySecret('the-key-that-is-right'));
    await runs.untilConnection('refused', ready);
  });

  it('a certificate that Temporal asks for and does not get', async () => {
    const door = await aDoor({ clientAuthority: authority });
    await connect('bare', { address: door.address, tls: { caSecretRef } });
    expect(await whyNot('bare', 'TemporalUnauthenticated')).toMatch(/certificate required$/);
  });

  it('a server that is not whom it should be', async () => {
    const door = await aDoor({});
    await secrets.put(runs.namespace, 'strange-ca', { 'ca.crt': aCertificate('stranger').cert });
    const tls = { caSecretRef: { name: 'strange-ca', key: 'ca.crt' } };
    await connect('strange', { address: door.address, tls });
    expect(await whyNot('strange', 'TemporalUnavailable')).toMatch(/certificate/);
    expect(door.calls).toEqual([]);
  });

  it('an address where nobody listens', async () => {
    await connect('nobody', { address: '127.0.0.1:1' });
    expect(await whyNot('nobody', 'TemporalUnavailable')).toMatch(/^Could not reach Temporal: .*ECONNREFUSED/);
    await shared.api.call(runs.path('temporalconnections', 'nobody'), {
      method: 'PATCH',
      body: { spec: { address: shared.temporalAddress } },
    });
    await runs.untilConnection('nobody', ready);
  });

  it('a Temporal namespace that is not there', async () => {
    const missing = `${temporalNamespace}-missing`;
    await connect('missing', { address: shared.temporalAddress, namespace: missing });
    expect(await whyNot('missing', 'TemporalNamespaceNotFound')).toBe(
      `Could not reach Temporal: Namespace ${missing} is not found.`,
    );
    await shared.temporal(['operator', 'namespace', 'create', '--namespace', missing, '--retention', '24h']);
    await runs.untilConnection('missing', ready, 60_000);
  });
});

describe('a tenant who may not read a Secret', () => {
  it('cannot have it sent anywhere: neither by a new connection nor by a change of one that has it', async () => {
    const theirs = await aDoor({ apiKeys: [] });
    await secrets.put(runs.namespace, 'coveted', keySecret('a-key-that-is-not-for-all'));
    const good = await aDoor({ apiKeys: ['a-key-that-is-not-for-all'] });
    await connect('coveted', withKey(good, 'coveted'));
    await runs.untilConnection('coveted', ready);
    const api = await tenant(shared, runs.namespace, []);
    const attempts = [
      create(draft({ ...withKey(theirs, 'coveted'), tls: {} }, 'thief')),
      create(draft({ address: theirs.address, tls: { caSecretRef: { name: 'coveted', key: 'key' } } }, 'thief')),
      create(draft({ address: theirs.address, tls: { clientCertSecretRef: { name: 'coveted' } } }, 'thief')),
      patch('temporalconnections/coveted', { spec: { address: theirs.address } }),
      patch('temporalconnections/coveted', { spec: { tls: { enabled: false } } }),
    ];
    for (const attempt of attempts) {
      expect(await send(api, runs.namespace, attempt, false)).toMatchObject({
        status: 403,
        message: expect.stringContaining('may not get in namespace'),
      });
    }
    api.close();
    expect(theirs.calls).toEqual([]);
    await runs.untilConnection('coveted', ready);
  });

  it('may take the Secret out of a connection, which is then shown to nobody', async () => {
    const theirs = await aDoor({ apiKeys: [] });
    const good = await aDoor({ apiKeys: ['a-key-to-be-taken-out'] });
    await secrets.put(runs.namespace, 'taken-out', keySecret('a-key-to-be-taken-out'));
    await connect('taken-out', { ...withKey(good, 'taken-out'), tls: { serverName: 'x' } });
    await whyNot('taken-out', 'TemporalUnavailable');
    const api = await tenant(shared, runs.namespace, []);
    const change = { spec: { address: theirs.address, apiKeySecretRef: null } };
    expect(await send(api, runs.namespace, patch('temporalconnections/taken-out', change), false)).toBe('allowed');
    api.close();
    await until('the new target', 30_000, async () => (await get('taken-out')).status.observedGeneration === 2);
    expect(theirs.calls.map(({ apiKey }) => apiKey)).not.toContain('a-key-to-be-taken-out');
  });

  it('cannot name one of another namespace: there is no such field, and what is dropped leads nowhere', async () => {
    await secrets.put(closed.namespace, 'elsewhere', keySecret('a-key-of-another-namespace'));
    const door = await aDoor({ apiKeys: ['a-key-of-another-namespace'] });
    const spec = { ...withKey(door, 'elsewhere'), namespace: temporalNamespace };
    const apiKeySecretRef = { ...spec.apiKeySecretRef, namespace: closed.namespace };
    const request = create(draft({ ...spec, apiKeySecretRef }, 'elsewhere'));
    expect(await send(shared.api, runs.namespace, { ...request, query: 'fieldValidation=Strict' })).toMatchObject({
      status: 400,
      message: expect.stringContaining('unknown field "spec.apiKeySecretRef.namespace"'),
    });
    const ignoring = { ...request, query: 'fieldValidation=Ignore' };
    expect(await send(shared.api, runs.namespace, ignoring, false)).toBe('allowed');
    expect(await whyNot('elsewhere', 'SecretNotFound')).toBe(
      `There is no Secret elsewhere in namespace ${runs.namespace}`,
    );
    expect(door.calls).toEqual([]);
  });
});

describe('a value of a Secret', () => {
  it('was never shown in a log line, a status or an Event', async () => {
    const collections = [
      ...[runs, closed].flatMap(({ namespace }) => [
        `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
        `/apis/aiworkflow.dev/v1alpha1/namespaces/${namespace}/temporalconnections`,
        `/apis/aiworkflow.dev/v1alpha1/namespaces/${namespace}/aiworkflows`,
      ]),
    ];
    const shown = await Promise.all(collections.map((path) => shared.api.call<object>(path)));
    for (const text of [operator.output(), ...shown.map((list) => JSON.stringify(list))]) {
      expect(secrets.shownIn(text)).toEqual([]);
    }
    expect(operator.output()).toContain('SecretInvalid');
    expect(secrets.shownIn(`x ${authority.cert}`)).toEqual([authority.cert]);
  });
});
