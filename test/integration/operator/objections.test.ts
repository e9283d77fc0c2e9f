import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Reason } from '../../../src/api/reasons.ts';
import { template } from '../policies/requests.ts';
import { conditionOf, type Runs } from './runs.ts';
import { openScene, type Scene } from './scene.ts';

// What the API server cannot see, and the operator answers by Accepted=False, with the path of what is wrong.

jest.setTimeout(120_000);
let scene: Scene;
let runs: Runs;

beforeAll(async () => {
  scene = await openScene('objections');
  ({ runs } = scene);
  const limits = { taskQueues: ['queue', 'gpu-*'], workflowTypes: ['AI*'] };
  await runs.connect(scene.temporalNamespace, 'limited', { allowed: limits });
  await pool('pool', { taskQueue: 'gpu-a', connectionRef: { name: 'limited' } });
  await configMap('values', { bad: 'not {json' });
}, 180_000);

afterAll(() => scene.close());

/** One line of a table: what is wrong, and how it is answered. */
interface Row {
  readonly what: string;
  readonly reason: Reason;
  readonly message: RegExp;
}

interface RunRow extends Row {
  /** Of `spec.workflow`. */
  readonly workflow?: Readonly<Record<string, unknown>>;
  /** Of `spec`. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

const from = (name: string, key: string) => ({ argsFrom: [{ configMapKeyRef: { name, key } }] });
const onPool = (name: string) => ({ taskQueue: undefined, workerRef: { name } });
const limited = { connectionRef: { name: 'limited' } };
const nameOf = ({ what }: Row) => what.replaceAll(' ', '-').toLowerCase();

async function applied({ workflow, spec, ...row }: RunRow): Promise<void> {
  await runs.apply(nameOf(row), { type: 'AIWorkflow', ...workflow }, spec);
}

async function configMap(name: string, values: Readonly<Record<string, string>>): Promise<void> {
  const path = `/api/v1/namespaces/${runs.namespace}/configmaps`;
  await scene.shared.api.call(path, { method: 'POST', body: { metadata: { name }, data: values } });
}

async function pool(name: string, spec: object): Promise<void> {
  await runs.create('workers', 'Worker', name, { taskQueue: 'queue', template: template('worker'), ...spec });
}

/** The answer to a run that is not started. */
async function expectObjection(row: RunRow, kstatus: 'Stalled' | 'Reconciling'): Promise<void> {
  await applied(row);
  const name = nameOf(row);
  const run = await runs.until(name, { type: 'Accepted', status: 'False', reason: row.reason });
  expect(conditionOf(run, 'Accepted')?.message).toMatch(row.message);
  expect(conditionOf(run, 'Ready')).toMatchObject({ status: 'False', reason: row.reason });
  expect(conditionOf(run, kstatus)?.status).toBe('True');
  expect(conditionOf(run, 'Finished')?.status).toBe('False');
  expect(run.status.temporal?.runID).toBeUndefined();
  expect(await scene.chains.runsOf(runs.workflowID(name))).toEqual([]);
}

describe('a run that only another spec helps is stalled, and says where and why:', () => {
  it.each<RunRow>([
    {
      ...{ what: 'a connection that is not its Workers', reason: 'ConnectionMismatch', workflow: onPool('pool') },
      ...{ spec: { connectionRef: { name: 'default' } }, message: /^spec\.connectionRef: .* default differs from/ },
    },
    {
      ...{ what: 'a queue that is not allowed', reason: 'NotAllowed', workflow: { taskQueue: 'secret' } },
      ...{ spec: limited, message: /^spec\.workflow\.taskQueue: .* task queue secret/ },
    },
    {
      ...{ what: 'a type that is not allowed', reason: 'NotAllowed', workflow: { type: 'EchoWorkflow' } },
      ...{ spec: limited, message: /^spec\.workflow\.type: .* workflow type EchoWorkflow/ },
    },
    {
      ...{ what: 'more than a mebibyte', reason: 'TooLarge', workflow: { args: ['x'.repeat(1_100_000)] } },
      message: /^The spec has 1100\d{3} bytes as JSON, more than the 1048576/,
    },
    {
      ...{ what: 'an ID of too many bytes', reason: 'InvalidSpec', spec: { workflowID: 'ä'.repeat(1000) } },
      message: /^spec\.workflowID: 2000 bytes/,
    },
  ])('$what', (row) => expectObjection(row, 'Stalled'));

  it('an ID of another namespace', async () => {
    const spec = { workflowID: `${runs.namespace}/another/run` };
    const row = { what: 'foreign', spec, reason: 'WorkflowIDForbidden', message: /^spec\.workflowID: .*start with/ };
    await expectObjection(row as RunRow, 'Stalled');
  });
});

describe('a run that waits for something to appear is reconciling, and says where and why:', () => {
  it.each<RunRow>([
    {
      ...{ what: 'no such connection', reason: 'ConnectionNotFound', spec: { connectionRef: { name: 'nowhere' } } },
      message: /^spec\.connectionRef: there is no TemporalConnection named nowhere/,
    },
    {
      ...{ what: 'no such Worker', reason: 'WorkerNotFound', workflow: onPool('nobody') },
      message: /^spec\.workflow\.workerRef: there is no Worker named nobody/,
    },
    {
      ...{ what: 'no such ConfigMap', reason: 'ConfigMapNotFound', workflow: from('none', 'a') },
      message: /^spec\.workflow\.argsFrom\[0\]: ConfigMap none, key a/,
    },
    {
      ...{ what: 'no such key', reason: 'ConfigMapNotFound', workflow: from('values', 'other') },
      message: /^spec\.workflow\.argsFrom\[0\]: ConfigMap values, key other/,
    },
    {
      ...{ what: 'a value that is not JSON', reason: 'InvalidArgument', workflow: from('values', 'bad') },
      message: /^spec\.workflow\.argsFrom\[0\]: .* key bad: the value is not JSON/,
    },
  ])('$what', (row) => expectObjection(row, 'Reconciling'));

  it('and goes on by itself when it does', async () => {
    await runs.apply('for-worker', { type: 'AIWorkflow', ...onPool('late'), args: ['late'] });
    await runs.apply('for-value', { type: 'AIWorkflow', ...from('late', 'prompt') });
    await runs.until('for-worker', { type: 'Accepted', status: 'False', reason: 'WorkerNotFound' });
    await runs.until('for-value', { type: 'Accepted', status: 'False', reason: 'ConfigMapNotFound' });
    await pool('late', {});
    await configMap('late', { prompt: '"from a ConfigMap"' });
    await runs.untilFinished('for-worker');
    // ConfigMaps are not watched: they are looked at again every half minute.
    const { status } = await runs.untilFinished('for-value', 'Succeeded', 60_000);
    expect(status.result).toBe('Inference result for: from a ConfigMap');
  });
});

it('a run that Temporal refuses says so in its words, and is stalled', async () => {
  await runs.apply('refused', { type: 'AIWorkflow' }, { retry: { initialInterval: '2s', maximumInterval: '1s' } });
  const run = await runs.until('refused', { type: 'Ready', status: 'False', reason: 'TemporalRejected' });
  expect(conditionOf(run, 'Ready')?.message).toMatch(/MaximumInterval cannot be less than InitialInterval/);
  expect(conditionOf(run, 'Stalled')).toMatchObject({ status: 'True', reason: 'TemporalRejected' });
  expect(run.status.temporal?.runID).toBeUndefined();
});

it('a Worker whose connection does not exist is not accepted, and says so', async () => {
  await pool('lost', { connectionRef: { name: 'nowhere' } });
  const wanted = { type: 'Accepted', status: 'False', reason: 'ConnectionNotFound' };
  const { message } = await runs.untilCondition('workers', 'lost', wanted);
  expect(message).toMatch(/there is no TemporalConnection named nowhere/);
});

describe('a connection is not used, and says why:', () => {
  it.each<Row & { readonly spec: object; readonly isAccepted: boolean }>([
    {
      ...{ what: 'nobody at its address', reason: 'TemporalUnavailable', spec: { address: '127.0.0.1:1' } },
      ...{ isAccepted: true, message: /Temporal is unavailable/ },
    },
    {
      ...{ what: 'no such namespace', reason: 'TemporalNamespaceNotFound', spec: { namespace: 'nowhere' } },
      ...{ isAccepted: true, message: /namespace.*not found/i },
    },
    {
      ...{ what: 'a Secret that may not be read', reason: 'SecretForbidden' },
      ...{ spec: { apiKeySecretRef: { name: 'hidden', key: 'token' } }, isAccepted: false },
      message: /Secret hidden; .* kubectl create rolebinding aiworkflow-secret-reader/,
    },
  ])('$what', async (row) => {
    const address = scene.shared.temporalAddress;
    await runs.create('temporalconnections', 'TemporalConnection', nameOf(row), { address, ...row.spec });
    const { reason } = row;
    const connection = await runs.untilConnection(nameOf(row), { type: 'Ready', status: 'False', reason });
    expect(conditionOf(connection, 'Ready')?.message).toMatch(row.message);
    expect(conditionOf(connection, 'Accepted')?.status).toBe(row.isAccepted ? 'True' : 'False');
    expect(conditionOf(connection, 'Reconciling')?.status).toBe('True');
  });
});
