import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Api } from '../../cluster/api.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { until } from '../../cluster/poll.ts';
import { applyCrds, cluster, freshNamespace } from '../../cluster/shared.ts';
import { apply, clusterConnection, connection, create, key, patch, run, send, template, worker } from './requests.ts';
import type { Request } from './requests.ts';
import { applyPolicies, operatorNamespace, tenant } from './tenants.ts';
import type { Grant } from './tenants.ts';

let shared: LocalCluster;
let namespace: string;
const tenants = new Map<string, Promise<Api>>();

beforeAll(async () => {
  shared = await cluster();
  await applyCrds(shared);
  await applyPolicies(shared);
  namespace = await freshNamespace(shared, 'policies');
  for (const draft of existing) expect(await send(shared.api, namespace, create(draft), false)).toBe('allowed');
  // A policy is in force some seconds after it is there: the last of each must refuse.
  const refused = [connection({ apiKeySecretRef: key('s') }), worker({}), run({ argsFrom: configMaps(16) })];
  await until('the policies to be in force', 30_000, async () => {
    const answers = await Promise.all(refused.map((object) => attempt([], create(object))));
    return answers.every((answer) => answer !== 'allowed');
  });
});

afterAll(async () => {
  for (const api of tenants.values()) (await api).close();
  shared.api.close();
});

const configMaps = (count: number) => Array.from({ length: count }, (_, i) => ({ configMapKeyRef: key(`c${i}`) }));

const withCa = connection({ tls: { caSecretRef: key('ca') } });
const withKey = connection({ apiKeySecretRef: key('s') });
const withAll = connection({
  apiKeySecretRef: key('s'),
  tls: { caSecretRef: key('ca'), clientCertSecretRef: { name: 'c' } },
});

const existing = [
  connection({ apiKeySecretRef: key('s'), tls: { caSecretRef: key('ca') } }, 'secret'),
  connection({}, 'open'),
  worker({ scaling: { mode: 'External' }, gpu: { count: 1 } }, 'plain'),
  worker({ credentials: { apiKeySecretRef: key('s') }, connectionRef: { name: 'open' } }, 'keyed'),
  run({ argsFrom: configMaps(2) }, 'reading'),
];

describe('whoever names a Secret in a connection must be allowed to read it', () => {
  const denied = (path: string, secret: string) =>
    new RegExp(`spec.${path} names the Secret ${secret}, which system:serviceaccount:.* may not get in namespace`);

  table([
    ['a connection without Secrets', [], create(connection({})), 'allowed'],
    ['a CA', [], create(withCa), denied('tls.caSecretRef', 'ca')],
    ['a CA', ['get secrets'], create(withCa), 'allowed'],
    ['a CA', ['get secrets/ca'], create(withCa), 'allowed'],
    ['a CA', ['get secrets/other'], create(withCa), denied('tls.caSecretRef', 'ca')],
    ['a CA', ['list secrets'], create(withCa), denied('tls.caSecretRef', 'ca')],
    [
      'a certificate',
      [],
      create(connection({ tls: { clientCertSecretRef: { name: 'c' } } })),
      denied('tls.clientCertSecretRef', 'c'),
    ],
    ['an API key', [], create(withKey), denied('apiKeySecretRef', 's')],
    ['an API key, by apply', [], apply(withKey), denied('apiKeySecretRef', 's')],
    ['all three', ['get secrets/ca', 'get secrets/c'], create(withAll), denied('apiKeySecretRef', 's')],
    ['all three', ['get secrets/ca', 'get secrets/c', 'get secrets/s'], create(withAll), 'allowed'],
    [
      'a new address',
      [],
      patch('temporalconnections/secret', { spec: { address: 'evil:7233' } }),
      denied('tls.caSecretRef', 'ca'),
    ],
    [
      'a new address',
      ['get secrets/ca'],
      patch('temporalconnections/secret', { spec: { address: 'evil:7233' } }),
      denied('apiKeySecretRef', 's'),
    ],
    [
      'a new address',
      ['get secrets'],
      patch('temporalconnections/secret', { spec: { address: 'new:7233' } }),
      'allowed',
    ],
    [
      'a link',
      [],
      patch('temporalconnections/secret', { spec: { uiUrl: 'http://ui' } }),
      denied('tls.caSecretRef', 'ca'),
    ],
    [
      'no more Secrets',
      [],
      patch('temporalconnections/secret', { spec: { apiKeySecretRef: null, tls: null } }),
      'allowed',
    ],
    ['an address without Secrets', [], patch('temporalconnections/open', { spec: { address: 'new:7233' } }), 'allowed'],
    ['a label', [], patch('temporalconnections/secret', { metadata: { labels: { a: 'b' } } }), 'allowed'],
    ['status', [], patch('temporalconnections/secret/status', { status: { serverVersion: '1' } }), 'allowed'],
    [
      'a cluster-wide API key',
      ['get secrets'],
      create(clusterConnection({ apiKeySecretRef: key('s') })),
      denied('apiKeySecretRef', 's'),
    ],
    [
      'a cluster-wide API key',
      [`get secrets@${operatorNamespace}`],
      create(clusterConnection({ apiKeySecretRef: key('s') })),
      'allowed',
    ],
  ]);
});

describe('a Worker is as much as a Deployment', () => {
  const create_ = /a Worker makes a Deployment: system:serviceaccount:.* may not create deployments in namespace/;
  const update_ = /changes its Deployment: system:serviceaccount:.* may not update deployments in namespace/;
  const secret = /spec.credentials.apiKeySecretRef names the Secret s, which/;
  const credentials = { apiKeySecretRef: key('s') };

  table([
    ['a Worker', [], create(worker({})), create_],
    ['a Worker', ['update deployments'], create(worker({})), create_],
    ['a Worker', ['create deployments'], create(worker({})), 'allowed'],
    ['a Worker with a key', ['create deployments'], create(worker({ credentials })), secret],
    ['a Worker with a key', ['create deployments', 'get secrets/s'], create(worker({ credentials })), 'allowed'],
    [
      'a Worker with a certificate',
      ['create deployments'],
      create(worker({ credentials: { clientCertSecretRef: { name: 'c' } } })),
      /clientCertSecretRef names the Secret c, which/,
    ],
    ['another template', [], patch('workers/plain', { spec: { template: template('b') } }), update_],
    [
      'another template',
      ['create deployments'],
      patch('workers/plain', { spec: { template: template('b') } }),
      update_,
    ],
    [
      'another template',
      ['update deployments'],
      patch('workers/plain', { spec: { template: template('b') } }),
      'allowed',
    ],
    [
      'another template, by apply',
      ['create deployments'],
      apply(worker({ template: template('b') }, 'plain')),
      update_,
    ],
    ['fewer GPUs', [], patch('workers/plain', { spec: { gpu: null } }), update_],
    ['GPUs', [], patch('workers/keyed', { spec: { gpu: { count: 1 } } }), update_],
    ['another connection', [], patch('workers/plain', { spec: { connectionRef: { name: 'b' } } }), update_],
    [
      'another connection',
      ['update deployments'],
      patch('workers/plain', { spec: { connectionRef: { name: 'b' } } }),
      'allowed',
    ],
    [
      'another connection for a key',
      ['update deployments'],
      patch('workers/keyed', { spec: { connectionRef: { name: 'b' } } }),
      secret,
    ],
    [
      'another key',
      ['update deployments', 'get secrets/s'],
      patch('workers/keyed', { spec: { credentials: { apiKeySecretRef: { name: 't' } } } }),
      /names the Secret t, which/,
    ],
    [
      'another template beside a key',
      ['update deployments'],
      patch('workers/keyed', { spec: { template: template('b') } }),
      'allowed',
    ],
    ['another size', [], patch('workers/keyed', { spec: { scaling: { max: 9 } } }), 'allowed'],
    ['/scale', [], patch('workers/plain/scale', { spec: { replicas: 3 } }), 'allowed'],
    [
      'a label and a finalizer',
      [],
      patch('workers/keyed', { metadata: { labels: { a: 'b' }, finalizers: ['a.b/c'] } }),
      'allowed',
    ],
    ['status', [], patch('workers/keyed/status', { status: { replicas: 1 } }), 'allowed'],
  ]);
});

describe('whoever names a ConfigMap in argsFrom must be allowed to read it', () => {
  const denied = (index: number) =>
    new RegExp(`spec.workflow.argsFrom\\[${index}\\] names the ConfigMap c${index}, which .* may not get in namespace`);

  table([
    ['none', [], create(run({})), 'allowed'],
    ['one', [], create(run({ argsFrom: configMaps(1) })), denied(0)],
    ['two', ['get configmaps/c0'], create(run({ argsFrom: configMaps(2) })), denied(1)],
    ['two', ['get configmaps/c0', 'get configmaps/c1'], create(run({ argsFrom: configMaps(2) })), 'allowed'],
    ['sixteen, within the cost budget', ['get configmaps'], create(run({ argsFrom: configMaps(16) })), 'allowed'],
    [
      'a label and a finalizer',
      [],
      patch('aiworkflows/reading', { metadata: { labels: { a: 'b' }, finalizers: ['a.b/c'] } }),
      'allowed',
    ],
    ['what may change', [], patch('aiworkflows/reading', { spec: { readyWhen: 'Succeeded' } }), 'allowed'],
    ['status', [], patch('aiworkflows/reading/status', { status: { phase: 'Running' } }), 'allowed'],
  ]);
});

/** Rows of: what is asked for, by somebody with which rights, the request, what comes of it. */
function table(rows: [string, Grant[], Request, 'allowed' | RegExp][]): void {
  it.each(rows)('%s, with %j', async (_, grants, request, expected) => {
    const answer = await attempt(grants, request);
    if (expected === 'allowed') expect(answer).toBe('allowed');
    else expect(answer).toEqual({ status: 403, message: expect.stringMatching(expected) });
  });
}

/** What the API server says to somebody with these rights. */
async function attempt(grants: Grant[], request: Request) {
  const id = grants.join();
  const api = await (tenants.get(id) ?? tenants.set(id, tenant(shared, namespace, grants)).get(id)!);
  return send(api, namespace, request);
}
