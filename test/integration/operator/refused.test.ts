import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { applyCrds, cluster, freshNamespace } from '../../cluster/shared.ts';
import { connection, create, key, patch, run, send, template, worker, type Draft } from '../policies/requests.ts';

// What the API server itself refuses, with the path of what is wrong and a sentence.

let shared: LocalCluster;
let namespace: string;

beforeAll(async () => {
  shared = await cluster();
  await applyCrds(shared);
  namespace = await freshNamespace(shared, 'refused');
  for (const draft of stored) expect(await send(shared.api, namespace, create(draft), false)).toBe('allowed');
});

afterAll(() => shared.api.close());

/** A run whose whole spec is given. */
function runOf(spec: object, name = 'new'): Draft {
  const workflow = { type: 'T', taskQueue: 'q' };
  return { plural: 'aiworkflows', body: { kind: 'AIWorkflow', metadata: { name }, spec: { workflow, ...spec } } };
}

const full = {
  connectionRef: { name: 'a' },
  workflow: { type: 'T', taskQueue: 'q', args: [{ deep: [1] }] },
  workflowID: 'a',
  idConflictPolicy: 'UseExisting',
  idReusePolicy: 'RejectDuplicate',
  timeouts: { execution: '1h' },
  retry: { maximumAttempts: 3 },
};
const stored = [
  runOf(full, 'full'),
  runOf({}, 'bare'),
  worker({}, 'pool'),
  worker({ scaling: { mode: 'Fixed' } }, 'fixed'),
  connection({ namespace: 'a' }, 'a'),
];

describe('a run is refused', () => {
  refused([
    ['without anything to run', runOf({ workflow: undefined }), /spec\.workflow: Required value/],
    ['with an empty workflow type', run({ type: '' }), /spec\.workflow\.type: Invalid value.*at least 1 chars/],
    ['with both taskQueue and workerRef', run({ workerRef: { name: 'w' } }), oneQueue()],
    ['with neither taskQueue nor workerRef', run({ taskQueue: undefined }), oneQueue()],
    ['with a workerRef that is no name', run({ workerRef: { name: 'A b' } }), /workerRef\.name: Invalid value: "A b"/],
    ['with more arguments than 64', run({ args: Array(65).fill(0) }), /spec\.workflow\.args: Too many: 65/],
    ['with args that are no list', run({ args: 'text' }), /spec\.workflow\.args: Invalid value: "string"/],
    ['with arguments from a Secret', run({ argsFrom: [{ secretKeyRef: key('s') }] }), /argsFrom\[0\]\.configMapKeyRef/],
    ['with a duration in words', runOf({ timeouts: { run: '5 minutes' } }), /spec\.timeouts\.run: Invalid value/],
    [
      'with a number for a duration',
      runOf({ timeouts: { execution: 60 } }),
      /spec\.timeouts\.execution: Invalid value/,
    ],
    ['with a deletionTimeout of days', runOf({ deletionTimeout: '25h' }), /spec\.deletionTimeout.*must be at most 24h/],
    ['with a deletionPolicy of its own', runOf({ deletionPolicy: 'Keep' }), /spec\.deletionPolicy: Unsupported value/],
    ['with a backoff below 1', runOf({ retry: { backoffCoefficient: '0.5' } }), /spec\.retry\.backoffCoefficient/],
    ['with a negative number of attempts', runOf({ retry: { maximumAttempts: -1 } }), /retry\.maximumAttempts/],
    ['with a workflow ID beyond bounds', runOf({ workflowID: 'x'.repeat(1001) }), /spec\.workflowID: Too long/],
    ['with a NUL in its workflow ID', runOf({ workflowID: 'a\0b' }), /spec\.workflowID: Invalid value: "a\\x00b"/],
    ['with a quote in its workflow ID', runOf({ workflowID: `it's` }), /spec\.workflowID: Invalid value: "it's"/],
    ['with a line break in its workflow ID', runOf({ workflowID: 'a\nb' }), /spec\.workflowID: Invalid value/],
    ['with a backslash in its workflow ID', runOf({ workflowID: 'a\\b' }), /spec\.workflowID: Invalid value/],
    [
      'with a connection of another kind',
      runOf({ connectionRef: { kind: 'Secret', name: 'a' } }),
      /connectionRef\.kind/,
    ],
    ['with a connection that has no name', runOf({ connectionRef: {} }), /spec\.connectionRef\.name: Required value/],
  ]);

  it('with a field that is misspelt, as kubectl asks for it', async () => {
    const request = { ...create(run({ taskQeue: 'q' })), query: 'fieldValidation=Strict' };
    expect(await send(shared.api, namespace, request)).toMatchObject({
      status: 400,
      message: expect.stringContaining('unknown field "spec.workflow.taskQeue"') as unknown,
    });
  });
});

describe('a Worker is refused', () => {
  const withPod = (spec: object) => worker({ template: { spec: { ...podSpec(), ...spec } } });
  refused([
    ['with a name that its pods could not carry', worker({}, 'w'.repeat(53)), /metadata\.name must have at most 52/],
    ['without a task queue', worker({ taskQueue: undefined }), /spec\.taskQueue: Required value/],
    ['without a template', worker({ template: undefined }), /spec\.template: Required value/],
    ['without containers', withPod({ containers: [] }), /spec\.template\.spec\.containers.*at least 1/],
    ['with a nameless container', withPod({ containers: [{ image: 'i' }] }), /containers\[0\]\.name: Required value/],
    ['on the network of its node', withPod({ hostNetwork: true }), /spec\.template\.spec.*hostNetwork.* are refused/],
    ['with a host name of its own', withPod({ hostname: 'h' }), /spec\.template\.spec.*hostname.* are refused/],
    ['with more replicas at least than at most', worker({ scaling: { min: 3, max: 2 } }), /spec\.scaling\.min.*exceed/],
    ['with no GPU to count', worker({ gpu: { count: 0 } }), /spec\.gpu\.count: Invalid value: 0/],
    ['with a bad delay', worker({ scaling: { scaleDownDelay: '1 h' } }), /spec\.scaling\.scaleDownDelay: Invalid/],
    ['with an unknown mode', worker({ scaling: { mode: 'Auto' } }), /spec\.scaling\.mode: Unsupported value: "Auto"/],
  ]);
});

describe('a connection is refused', () => {
  refused([
    ['without an address', connection({ address: undefined }), /spec\.address: Required value/],
    ['with an address without a port', connection({ address: 'temporal' }), /spec\.address: Invalid value: "temporal"/],
    ['with a URL for an address', connection({ address: 'https://t:7233' }), /spec\.address: Invalid value/],
    ['with an empty Temporal namespace', connection({ namespace: '' }), /spec\.namespace: Invalid value/],
    ['with a UI that is no web page', connection({ uiUrl: 'javascript:alert(1)' }), /spec\.uiUrl: Invalid value/],
    ['with a key of no Secret', connection({ apiKeySecretRef: { key: 'k' } }), /spec\.apiKeySecretRef\.name: Required/],
  ]);
});

describe('what decides what runs cannot change:', () => {
  const other: Readonly<Record<keyof typeof full, unknown>> = {
    connectionRef: { name: 'b' },
    workflow: { args: [{ deep: [2] }] },
    workflowID: 'b',
    idConflictPolicy: 'Fail',
    idReusePolicy: 'AllowDuplicate',
    timeouts: { execution: '2h' },
    retry: { maximumAttempts: 4 },
  };
  const optional = ['connectionRef', 'workflowID', 'timeouts', 'retry'] as const;
  const withDefault = ['idConflictPolicy', 'idReusePolicy'] as const;
  const change = (name: string, spec: object) => patch(`aiworkflows/${name}`, { spec });

  it.each([
    ...Object.entries(other).map(([field, value]) => [`swapping ${field}`, field, 'full', { [field]: value }] as const),
    ...[...optional, ...withDefault].map((field) => [`removing ${field}`, field, 'full', { [field]: null }] as const),
    ...optional.map((field) => [`adding ${field}`, field, 'bare', { [field]: full[field] }] as const),
    ...withDefault.map((field) => [`setting ${field}`, field, 'bare', { [field]: full[field] }] as const),
    ['removing an argument', 'workflow', 'full', { workflow: { args: null } }],
    ['adding an argument', 'workflow', 'bare', { workflow: { args: [null] } }],
    ['adding a null to a value', 'workflow', 'full', { workflow: { args: [{ deep: [1, null] }] } }],
    ['leaving a queue for a pool', 'workflow', 'full', { workflow: { taskQueue: null, workerRef: { name: 'w' } } }],
  ])('%s is refused', async (_, field, name, spec) => {
    await expectRefusal(change(name, spec), new RegExp(`spec\\.${field}: Forbidden: ${field} cannot change`));
  });

  it.each([
    ['the queue of a Worker', patch('workers/pool', { spec: { taskQueue: 'r' } }), /spec\.taskQueue: Forbidden/],
    ['the Temporal namespace', patch('temporalconnections/a', { spec: { namespace: 'b' } }), /spec\.namespace: Forbid/],
    [
      'the size of a pool that follows its queue',
      patch('workers/pool', { spec: { replicas: 2 } }),
      /spec\.replicas: F/,
    ],
  ])('%s is refused', (_, request, message) => expectRefusal(request, message));

  it.each([
    ['what deletion does', change('full', { deletionPolicy: 'Abandon', deletionTimeout: '5m' })],
    ['what ready means', change('bare', { readyWhen: 'Succeeded' })],
    ['labels', patch('aiworkflows/full', { metadata: { labels: { a: 'b' } } })],
    ['the size of a pool of fixed size', patch('workers/fixed', { spec: { replicas: 2 } })],
  ])('%s may change', async (_, request) => {
    expect(await send(shared.api, namespace, request)).toBe('allowed');
  });
});

describe('kubectl explain', () => {
  it.each([
    ['aiworkflow.spec.workflow', /A workflow that the user wrote, in any Temporal SDK/, /argsFrom <\[\]Object>/],
    [
      'aiworkflow.spec.idReusePolicy',
      /run again, run again if it failed, or take over its outcome/,
      /ENUM: AllowDuplicate AllowDuplicateFailedOnly/,
    ],
    ['aiworkflow.status.failure', /Where and why the run failed/, /activity <string> Type of the activity/],
    ['worker.spec.scaling', /How replicas follow the task queue/, /tasksPerReplica <integer> Concurrent tasks/],
    ['temporalconnection.spec.allowed', /Limits on what may be started/, /taskQueues <\[\]string>/],
  ])('of %s teaches', async (path, ...sentences) => {
    const text = (await shared.kubectl(['explain', path])).replaceAll(/\s+/g, ' ');
    for (const sentence of sentences) expect(text).toMatch(sentence);
  });
});

function oneQueue(): RegExp {
  return /spec\.workflow: Invalid value:.*exactly one of taskQueue and workerRef must be given/;
}

function podSpec(): object {
  return (template('i') as { readonly spec: object }).spec;
}

function refused(rows: readonly (readonly [what: string, draft: Draft, message: RegExp])[]): void {
  it.each(rows)('%s', (_, draft, message) => expectRefusal(create(draft), message));
}

async function expectRefusal(request: Parameters<typeof send>[2], message: RegExp): Promise<void> {
  const answer = await send(shared.api, namespace, request);
  expect(answer).toMatchObject({ status: 422, message: expect.stringMatching(message) as unknown });
}
