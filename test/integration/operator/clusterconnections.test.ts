import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Connection } from '../../../src/api/connection.ts';
import { aCertificate } from '../../builders/certificate.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { launch } from '../../cluster/launch.ts';
import { until } from '../../cluster/poll.ts';
import { applyCrds, freshNamespace, freshTemporalNamespace } from '../../cluster/shared.ts';
import { applyPolicies } from '../policies/tenants.ts';
import { openFrontDoor, type FrontDoor } from '../temporal/frontdoor.ts';
import { startOperator, type OperatorProcess } from './process.ts';
import { conditionOf, Runs } from './runs.ts';
import { Secrets } from './secrets.ts';

// An operator that serves all namespaces would take over the runs of other tests: hence a cluster of its own.

jest.setTimeout(120_000);

const authority = aCertificate('authority');
const serverCertificate = aCertificate('server', { issuer: authority, address: '127.0.0.1' });
const KEY = 'the-key-of-the-operators-namespace';

let own: LocalCluster;
let operator: OperatorProcess;
let operatorNamespace: string;
let temporalNamespace: string;
let door: FrontDoor;
let secrets: Secrets;

beforeAll(async () => {
  own = await launch();
  await applyCrds(own);
  await applyPolicies(own);
  operatorNamespace = await freshNamespace(own, 'operator');
  temporalNamespace = await freshTemporalNamespace(own, 'shared');
  secrets = new Secrets(own.api);
  door = await openFrontDoor(own.temporalAddress, { server: serverCertificate, apiKeys: [KEY] });
  await secrets.put(operatorNamespace, 'ca', { 'ca.crt': authority.cert });
  await secrets.put(operatorNamespace, 'cloud', { key: KEY });
  operator = await startOperator(own, operatorNamespace, { serves: 'all' });
}, 300_000);

afterAll(async () => {
  await operator.kill('SIGTERM');
  await door.close();
  await own.remove();
});

/** Creates a connection of the cluster and returns once it is ready. */
async function share(name: string, allowedNamespaces?: object): Promise<void> {
  const collection = '/apis/aiworkflow.dev/v1alpha1/clustertemporalconnections';
  const spec = {
    ...{ address: door.address, namespace: temporalNamespace },
    tls: { caSecretRef: { name: 'ca', key: 'ca.crt' } },
    apiKeySecretRef: { name: 'cloud', key: 'key' },
    ...(allowedNamespaces && { allowedNamespaces }),
  };
  const body = { apiVersion: 'aiworkflow.dev/v1alpha1', kind: 'ClusterTemporalConnection', metadata: { name }, spec };
  await own.api.call(collection, { method: 'POST', body });
  await until(`${name} to be ready`, 30_000, async () => {
    const connection = await own.api.call<Connection>(`${collection}/${name}`);
    return conditionOf(connection, 'Ready')?.status === 'True';
  });
}

async function label(namespace: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await own.api.call(`/api/v1/namespaces/${namespace}`, { method: 'PATCH', body: { metadata: { labels } } });
}

const aTeam = async (name: string) => new Runs(own, await freshNamespace(own, name), operatorNamespace);

/** Asks for a run through a connection of the cluster. */
async function start(team: Runs, connection: string, spec: object = {}): Promise<void> {
  const connectionRef = { kind: 'ClusterTemporalConnection', name: connection };
  await team.apply('run', { type: 'Unserved' }, { connectionRef, ...spec });
}

const refusal = async (team: Runs) => {
  const run = await team.until('run', { type: 'Accepted', status: 'False' });
  expect(run.status.temporal?.runID).toBeUndefined();
  const { reason, message } = conditionOf(run, 'Accepted') ?? {};
  return { reason, message };
};

describe('a connection of the cluster', () => {
  it('has its Secrets in the namespace of the operator, whatever the user of it has under their names', async () => {
    const team = await aTeam('named');
    await share('by-name', { names: [team.namespace] });
    await secrets.put(team.namespace, 'cloud', { key: 'a-key-of-the-team-itself' });
    await start(team, 'by-name');
    await team.untilStarted('run');
    expect(new Set(door.calls.map(({ apiKey }) => apiKey))).toEqual(new Set([KEY]));
  });

  it('serves no namespace unless it says so', async () => {
    const team = await aTeam('none');
    await share('for-nobody');
    await start(team, 'for-nobody');
    expect(await refusal(team)).toEqual({
      reason: 'NamespaceNotAllowed',
      message: `spec.connectionRef: ClusterTemporalConnection for-nobody does not allow namespace ${team.namespace}`,
    });
  });

  it('serves those that carry its labels, and one more once it does', async () => {
    const [gold, plain] = [await aTeam('gold'), await aTeam('plain')];
    await label(gold.namespace, { tier: 'gold' });
    await share('by-label', { selector: { matchLabels: { tier: 'gold' } } });
    await start(gold, 'by-label');
    await gold.untilStarted('run');
    await start(plain, 'by-label');
    expect((await refusal(plain)).reason).toBe('NamespaceNotAllowed');
    await label(plain.namespace, { tier: 'gold' });
    await plain.untilStarted('run', 60_000);
  });

  it('keeps each namespace to workflow IDs of its own', async () => {
    const [one, other] = [await aTeam('one'), await aTeam('other')];
    await share('for-two', { names: [one.namespace, other.namespace] });
    await start(one, 'for-two');
    await one.untilStarted('run');
    await start(other, 'for-two', { workflowID: one.workflowID('run'), idConflictPolicy: 'UseExisting' });
    expect(await refusal(other)).toMatchObject({
      reason: 'WorkflowIDForbidden',
      message: expect.stringContaining(`it must start with ${operatorNamespace}/${other.namespace}/`),
    });
  });

  it('is no way to a namespace connection of the same name, nor the other way round', async () => {
    const team = await aTeam('mixed');
    await share('mixed', { names: [team.namespace] });
    await team.apply('run', { type: 'Unserved' }, { connectionRef: { name: 'mixed' } });
    expect((await refusal(team)).reason).toBe('ConnectionNotFound');
  });
});

it('never shows a value of a Secret, in no log line, status or Event', async () => {
  const paths = ['clustertemporalconnections', 'aiworkflows'].map(
    (plural) => `/apis/aiworkflow.dev/v1alpha1/${plural}`,
  );
  const lists = await Promise.all([...paths, '/apis/events.k8s.io/v1/events'].map((path) => own.api.call(path)));
  const texts = [operator.output(), ...lists.map((list) => JSON.stringify(list))];
  expect(texts.flatMap((text) => secrets.shownIn(text))).toEqual([]);
});
