import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { aCertificate } from '../../builders/certificate.ts';
import { until } from '../../cluster/poll.ts';
import { create, connection as draft, patch, send } from '../policies/requests.ts';
import { tenant } from '../policies/tenants.ts';
import { authority, ConnectionScene, keySecret, pair, ready, withCertificate, withKey } from './connectionscene.ts';
import { conditionOf, type Runs } from './runs.ts';

jest.setTimeout(120_000);

let scene: ConnectionScene;
let runs: Runs;

beforeAll(async () => {
  scene = await ConnectionScene.open();
  ({ runs } = scene);
}, 180_000);

afterAll(() => scene.close());

const methods = [
  'getSystemInfo',
  'describeNamespace',
  'getClusterInfo',
  'startWorkflowExecution',
  'listWorkflowExecutions',
];
const failures = ['UNAVAILABLE', 'UNAUTHENTICATED', 'CANCELLED', 'DEADLINE_EXCEEDED', 'INTERNAL', 'UNKNOWN'];

/** Calls to Temporal so far that were not answered as they should be. */
async function failedCalls(): Promise<number> {
  const kinds = methods.flatMap((method) => failures.map((code) => `{method="${method}",code="${code}"`));
  const counts = await Promise.all(
    kinds.map((kind) => scene.operator.metric(`aiworkflow_temporal_calls_total${kind}`)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('a connection', () => {
  it('to a Temporal without TLS is ready, and says what is there', async () => {
    await scene.connect('plain', { address: scene.shared.temporalAddress });
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
    const short = `${scene.temporalNamespace}-short`;
    await scene.shared.temporal(['operator', 'namespace', 'create', '--namespace', short, '--retention', '23h']);
    await scene.connect('short', { address: scene.shared.temporalAddress, namespace: short });
    const found = await runs.untilConnection('short', ready, 40_000);
    expect(found.status.retention).toBe('23h');
    expect(conditionOf(found, 'Ready')?.message).toMatch(/ answers; closed runs are kept for 23h only: /);
  });

  it('shows its client certificate, and the next one as soon as the Secret holds it, without a failed call', async () => {
    const door = await scene.door({ clientAuthority: authority });
    await scene.secrets.put(runs.namespace, 'client', pair(aCertificate('first', { issuer: authority })));
    await scene.connect('mtls', withCertificate(door, 'client'));
    await runs.untilConnection('mtls', ready);
    expect(new Set(door.calls.map(({ clientName }) => clientName))).toEqual(new Set(['first']));

    const before = await failedCalls();
    await scene.secrets.put(runs.namespace, 'client', pair(aCertificate('second', { issuer: authority })));
    await until('the second certificate', 15_000, () => door.calls.at(-1)?.clientName === 'second');
    await runs.apply('after-rotation', { type: 'Unserved' }, { connectionRef: { name: 'mtls' } });
    await runs.untilStarted('after-rotation');
    expect(await failedCalls()).toBe(before);
    const names = door.calls.map(({ clientName }) => clientName);
    expect(names.slice(names.indexOf('second'))).not.toContain('first');
    expect(scene.operator.isRunning()).toBe(true);
  });

  it('shows its API key, and the next one while runs are started, without a failed call', async () => {
    const door = await scene.door({ apiKeys: ['first-key-of-tests', 'second-key-of-tests'] });
    await scene.secrets.put(runs.namespace, 'cloud', keySecret('first-key-of-tests'));
    await scene.connect('keyed', withKey(door, 'cloud'));
    await runs.untilConnection('keyed', ready);
    const before = await failedCalls();
    const start = (name: string) => runs.apply(name, { type: 'Unserved' }, { connectionRef: { name: 'keyed' } });
    const names = Array.from({ length: 12 }, (_, index) => `keyed-${index}`);
    for (const name of names.slice(0, 6)) await start(name);
    await scene.secrets.put(runs.namespace, 'cloud', keySecret('second-key-of-tests'));
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
    const door = await scene.door({ apiKeys: ['key-of-team-a-only', 'key-of-team-b-only'] });
    for (const team of ['a', 'b']) {
      await scene.secrets.put(runs.namespace, `team-${team}`, keySecret(`key-of-team-${team}-only`));
      await scene.connect(`team-${team}`, withKey(door, `team-${team}`));
    }
    await Promise.all(['team-a', 'team-b'].map((name) => runs.untilConnection(name, ready)));
    const keysOn = Map.groupBy(door.calls, ({ connection }) => connection);
    for (const calls of keysOn.values()) expect(new Set(calls.map(({ apiKey }) => apiKey)).size).toBe(1);
    expect(keysOn.size).toBe(2);
  });
});

describe('a tenant who may not read a Secret', () => {
  it('cannot have it sent anywhere: neither by a new connection nor by a change of one that has it', async () => {
    const theirs = await scene.door({ apiKeys: [] });
    await scene.secrets.put(runs.namespace, 'coveted', keySecret('a-key-that-is-not-for-all'));
    const good = await scene.door({ apiKeys: ['a-key-that-is-not-for-all'] });
    await scene.connect('coveted', withKey(good, 'coveted'));
    await runs.untilConnection('coveted', ready);
    const api = await tenant(scene.shared, runs.namespace, []);
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
    const theirs = await scene.door({ apiKeys: [] });
    const good = await scene.door({ apiKeys: ['a-key-to-be-taken-out'] });
    await scene.secrets.put(runs.namespace, 'taken-out', keySecret('a-key-to-be-taken-out'));
    await scene.connect('taken-out', { ...withKey(good, 'taken-out'), tls: { serverName: 'x' } });
    await scene.whyNot('taken-out', 'TemporalUnavailable');
    const api = await tenant(scene.shared, runs.namespace, []);
    const change = { spec: { address: theirs.address, apiKeySecretRef: null } };
    expect(await send(api, runs.namespace, patch('temporalconnections/taken-out', change), false)).toBe('allowed');
    api.close();
    await until('the new target', 30_000, async () => (await scene.get('taken-out')).status.observedGeneration === 2);
    expect(theirs.calls.map(({ apiKey }) => apiKey)).not.toContain('a-key-to-be-taken-out');
  });

  it('cannot name one of another namespace: there is no such field, and what is dropped leads nowhere', async () => {
    await scene.secrets.put(scene.closed.namespace, 'elsewhere', keySecret('a-key-of-another-namespace'));
    const door = await scene.door({ apiKeys: ['a-key-of-another-namespace'] });
    const spec = { ...withKey(door, 'elsewhere'), namespace: scene.temporalNamespace };
    const apiKeySecretRef = { ...spec.apiKeySecretRef, namespace: scene.closed.namespace };
    const request = create(draft({ ...spec, apiKeySecretRef }, 'elsewhere'));
    expect(await send(scene.shared.api, runs.namespace, { ...request, query: 'fieldValidation=Strict' })).toMatchObject(
      {
        status: 400,
        message: expect.stringContaining('unknown field "spec.apiKeySecretRef.namespace"'),
      },
    );
    const ignoring = { ...request, query: 'fieldValidation=Ignore' };
    expect(await send(scene.shared.api, runs.namespace, ignoring, false)).toBe('allowed');
    expect(await scene.whyNot('elsewhere', 'SecretNotFound')).toBe(
      `There is no Secret elsewhere in namespace ${runs.namespace}`,
    );
    expect(door.calls).toEqual([]);
  });
});

it('never shows a value of a Secret, in no log line, status or Event', async () => {
  expect(await scene.shownSecrets()).toEqual([]);
  expect(scene.secrets.shownIn(`x ${authority.cert}`)).toEqual([authority.cert]);
});
