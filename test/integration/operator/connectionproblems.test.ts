import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { aCertificate } from '../../builders/certificate.ts';
import { until } from '../../cluster/poll.ts';
import {
  authority,
  caSecretRef,
  ConnectionScene,
  keySecret,
  pair,
  ready,
  withCertificate,
  withKey,
} from './connectionscene.ts';
import { conditionOf, type Runs } from './runs.ts';

jest.setTimeout(120_000);

let scene: ConnectionScene;
let runs: Runs;

beforeAll(async () => {
  scene = await ConnectionScene.open();
  ({ runs } = scene);
}, 180_000);

afterAll(() => scene.close());

describe('a connection that cannot be used says why, and goes on by itself once it can:', () => {
  it('a Secret that is not there, or without the key', async () => {
    const door = await scene.door({ apiKeys: ['a-key-that-comes-late'] });
    await scene.connect('late', withKey(door, 'late'));
    expect(await scene.whyNot('late', 'SecretNotFound')).toBe(`There is no Secret late in namespace ${runs.namespace}`);
    expect(conditionOf(await scene.get('late'), 'Accepted')).toMatchObject({
      status: 'False',
      reason: 'SecretNotFound',
    });
    await scene.secrets.put(runs.namespace, 'late', { other: 'x' });
    await until('the missing key to be named', 40_000, async () =>
      (await scene.whyNot('late', 'SecretNotFound')).endsWith('Secret late has no value under the key key'),
    );
    await scene.secrets.put(runs.namespace, 'late', keySecret('a-key-that-comes-late'));
    await runs.untilConnection('late', ready);
    expect(door.calls.every(({ apiKey }) => apiKey === 'a-key-that-comes-late')).toBe(true);
  });

  it('a Secret that it may not read; the command in the message allows it', async () => {
    const door = await scene.door({ apiKeys: ['a-key-behind-a-closed-door'] });
    await scene.secrets.put(scene.closed.namespace, 'ca', { 'ca.crt': authority.cert });
    await scene.secrets.put(scene.closed.namespace, 'cloud', keySecret('a-key-behind-a-closed-door'));
    await scene.connect('forbidden', withKey(door, 'cloud'), scene.closed);
    const message = await scene.whyNot('forbidden', 'SecretForbidden', scene.closed);
    expect(message).toMatch(/^The operator may not read Secret ca; whoever may: kubectl create rolebinding /);
    expect(door.calls).toEqual([]);
    const command = /kubectl (create rolebinding .*)$/.exec(message)?.[1] ?? '';
    await scene.shared.kubectl(command.split(' '));
    await scene.closed.untilConnection('forbidden', ready, 60_000);
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
    const door = await scene.door({ clientAuthority: authority });
    await scene.secrets.put(runs.namespace, name, values);
    await scene.connect(name, withCertificate(door, name));
    expect(await scene.whyNot(name, 'SecretInvalid')).toMatch(message);
    expect(door.calls).toEqual([]);
    await scene.secrets.put(runs.namespace, name, pair(other));
    await runs.untilConnection(name, ready);
  });

  it('an API key that no header can carry', async () => {
    const door = await scene.door({ apiKeys: ['fine-and-long-enough'] });
    await scene.secrets.put(runs.namespace, 'two-lines', keySecret('the first line\nand the second'));
    await scene.connect('two-lines', withKey(door, 'two-lines'));
    expect(await scene.whyNot('two-lines', 'SecretInvalid')).toBe(
      'Secret two-lines, key key: an API key is one line of visible ASCII characters',
    );
    await scene.secrets.put(runs.namespace, 'two-lines', keySecret('fine-and-long-enough\n'));
    await runs.untilConnection('two-lines', ready);
  });

  it('credentials that Temporal refuses', async () => {
    const door = await scene.door({ apiKeys: ['the-key-that-is-right'] });
    await scene.secrets.put(runs.namespace, 'refused', keySecret('the-key-that-is-wrong'));
    await scene.connect('refused', withKey(door, 'refused'));
    expect(await scene.whyNot('refused', 'TemporalUnauthenticated')).toBe(
      'Could not reach Temporal: Request unauthorized.',
    );
    await scene.secrets.put(runs.namespace, 'refused', keySecret('the-key-that-is-right'));
    await runs.untilConnection('refused', ready);
  });

  it('a certificate that Temporal asks for and does not get', async () => {
    const door = await scene.door({ clientAuthority: authority });
    await scene.connect('bare', { address: door.address, tls: { caSecretRef } });
    expect(await scene.whyNot('bare', 'TemporalUnauthenticated')).toMatch(/certificate required$/);
  });

  it('a server that is not whom it should be', async () => {
    const door = await scene.door();
    await scene.secrets.put(runs.namespace, 'strange-ca', { 'ca.crt': aCertificate('stranger').cert });
    const tls = { caSecretRef: { name: 'strange-ca', key: 'ca.crt' } };
    await scene.connect('strange', { address: door.address, tls });
    expect(await scene.whyNot('strange', 'TemporalUnavailable')).toMatch(/certificate/);
    expect(door.calls).toEqual([]);
  });

  it('an address where nobody listens', async () => {
    await scene.connect('nobody', { address: '127.0.0.1:1' });
    expect(await scene.whyNot('nobody', 'TemporalUnavailable')).toMatch(/^Could not reach Temporal: .*ECONNREFUSED/);
    await scene.shared.api.call(runs.path('temporalconnections', 'nobody'), {
      method: 'PATCH',
      body: { spec: { address: scene.shared.temporalAddress } },
    });
    await runs.untilConnection('nobody', ready);
  });

  it('a Temporal namespace that is not there', async () => {
    const missing = `${scene.temporalNamespace}-missing`;
    await scene.connect('missing', { address: scene.shared.temporalAddress, namespace: missing });
    expect(await scene.whyNot('missing', 'TemporalNamespaceNotFound')).toBe(
      `Could not reach Temporal: Namespace ${missing} is not found.`,
    );
    await scene.shared.temporal(['operator', 'namespace', 'create', '--namespace', missing, '--retention', '24h']);
    await runs.untilConnection('missing', ready, 60_000);
  });
});

it('a connection that is deleted while it is looked at is gone for good', async () => {
  const door = await scene.door();
  const release = door.hold();
  await scene.connect('short-lived', { address: door.address, tls: { caSecretRef } });
  await until('the look at it', 15_000, () => door.calls.length > 0);
  await scene.shared.api.call(runs.path('temporalconnections', 'short-lived'), { method: 'DELETE' });
  release();
  await until('the end of the look', 15_000, () => door.connections() === 0);
  await runs.apply('orphan', { type: 'Unserved' }, { connectionRef: { name: 'short-lived' } });
  const run = await runs.until('orphan', { type: 'Accepted', status: 'False' });
  expect(conditionOf(run, 'Accepted')?.reason).toBe('ConnectionNotFound');
});

it('never shows a value of a Secret, in no log line, status or Event', async () => {
  expect(await scene.shownSecrets()).toEqual([]);
  expect(scene.secrets.shownIn(`x ${authority.cert}`)).toEqual([authority.cert]);
});
