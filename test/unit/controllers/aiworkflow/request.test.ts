import { describe, expect, it } from '@jest/globals';
import type { AIWorkflow } from '../../../../src/api/aiworkflow.ts';
import { parseJson } from '../../../../src/api/json.ts';
import type { Objection } from '../../../../src/controllers/aiworkflow/observed.ts';
import { connectionRefOf, startRequestOf, type Surroundings } from '../../../../src/controllers/aiworkflow/request.ts';
import { anAIWorkflow, aStartRequest } from '../../../builders/aiworkflow.ts';
import { aClusterConnection, aConnection } from '../../../builders/connection.ts';
import { aWorker } from '../../../builders/worker.ts';

const around = (overrides: Partial<Surroundings> = {}): Surroundings => ({
  clusterName: 'default',
  connection: { isUsable: true, connection: aConnection() },
  argsFrom: [],
  ...overrides,
});

const workflow = (overrides: object) => anAIWorkflow({ spec: { workflow: { type: 'AIWorkflow', ...overrides } } });
const onPool = workflow({ workerRef: { name: 'gpu-pool' } });
const through = (spec: Record<string, unknown>) => ({
  connection: { isUsable: true, connection: aConnection({ spec }) } as const,
});

describe('what to start', () => {
  it('is what the spec says', () => {
    expect(startRequestOf(anAIWorkflow(), around())).toEqual(aStartRequest);
  });

  it('has the queue of the Worker', () => {
    const worker = aWorker({ spec: { taskQueue: 'of-the-worker' } });
    expect(startRequestOf(onPool, around({ worker }))).toMatchObject({ taskQueue: 'of-the-worker', args: [] });
  });

  it('has the arguments of ConfigMaps after its own', () => {
    const argsFrom = [{ a: 1 }, null];
    expect(startRequestOf(anAIWorkflow(), around({ argsFrom }))).toMatchObject({ args: ['hi', { a: 1 }, null] });
  });

  it('has as many bytes of arguments as Temporal takes', () => {
    const argsFrom = ['ä'.repeat(512 * 1024), 'x'.repeat(1024 * 1024 - 12)];
    expect(startRequestOf(anAIWorkflow(), around({ argsFrom }))).toMatchObject({ args: ['hi', ...argsFrom] });
  });

  it('has the workflow ID that is given, and knows that a connection is shared', () => {
    const run = anAIWorkflow({ spec: { workflowID: 'default/team-a/mine' } });
    const connection = { isUsable: true, connection: aClusterConnection() } as const;
    expect(startRequestOf(run, around({ connection }))).toMatchObject({
      workflowID: 'default/team-a/mine',
      isShared: true,
    });
  });
});

const notReady = {
  isUsable: false,
  reason: 'ConnectionNotReady',
  message: 'TemporalConnection x is not ready: y',
} as const;
const noConfigMap: Objection = {
  reason: 'ConfigMapNotFound',
  message: 'spec.workflow.argsFrom[0]: …',
  needsChange: false,
};
const large = workflow({ taskQueue: 'q', args: ['x'.repeat(1024 * 1024)] });
const largeBytes = Buffer.byteLength(JSON.stringify(large.spec));
const elsewhere = anAIWorkflow({
  spec: { connectionRef: { name: 'other' }, workflow: { type: 'T', workerRef: { name: 'gpu-pool' } } },
});

describe('nothing is started', () => {
  it.each<[string, AIWorkflow & { problem?: string }, Partial<Surroundings>, Objection]>([
    [
      'where the spec is no spec',
      { ...large, problem: 'spec.workflow: must be an object' },
      {},
      { reason: 'InvalidSpec', message: 'spec.workflow: must be an object', needsChange: true },
    ],
    [
      'where it is too large',
      large,
      { connection: notReady },
      {
        reason: 'TooLarge',
        message: `The spec has ${largeBytes} bytes as JSON, more than the 1048576 that are accepted; pass references to large data`,
        needsChange: true,
      },
    ],
    [
      'where the Worker is missing',
      onPool,
      { connection: notReady },
      {
        reason: 'WorkerNotFound',
        message: 'spec.workflow.workerRef: there is no Worker named gpu-pool',
        needsChange: false,
      },
    ],
    [
      'where the Worker has another connection',
      elsewhere,
      { worker: aWorker({ spec: { connectionRef: { name: 'temporal' } } }) },
      {
        reason: 'ConnectionMismatch',
        message: "spec.connectionRef: TemporalConnection other differs from the Worker's TemporalConnection temporal",
        needsChange: true,
      },
    ],
    [
      'where the Worker has the default connection',
      elsewhere,
      { worker: aWorker() },
      {
        reason: 'ConnectionMismatch',
        message: "spec.connectionRef: TemporalConnection other differs from the Worker's TemporalConnection default",
        needsChange: true,
      },
    ],
    [
      'while the connection is not ready',
      anAIWorkflow({ spec: { workflowID: 'default/team-b/x' } }),
      { connection: notReady },
      { reason: 'ConnectionNotReady', message: 'TemporalConnection x is not ready: y', needsChange: false },
    ],
    [
      'under the workflow ID of another namespace',
      anAIWorkflow({ spec: { workflowID: 'default/team-b/x' } }),
      {},
      {
        reason: 'WorkflowIDForbidden',
        message: 'spec.workflowID: from this namespace it must start with default/team-a/',
        needsChange: true,
      },
    ],
    [
      'of a type that the connection does not allow',
      anAIWorkflow(),
      through({ allowed: { workflowTypes: ['Other', 'AI'], taskQueues: ['x'] } }),
      {
        reason: 'NotAllowed',
        message: 'spec.workflow.type: the connection does not allow workflow type AIWorkflow',
        needsChange: true,
      },
    ],
    [
      'on a queue that the connection does not allow',
      anAIWorkflow(),
      through({ allowed: { taskQueues: ['ai', 'gpu-*'] } }),
      {
        reason: 'NotAllowed',
        message: 'spec.workflow.taskQueue: the connection does not allow task queue ai-inference',
        needsChange: true,
      },
    ],
    ['while an argument is missing', anAIWorkflow(), { argsFrom: noConfigMap }, noConfigMap],
    [
      'while the arguments come to more than Temporal takes',
      anAIWorkflow(),
      { argsFrom: ['ä'.repeat(512 * 1024), 'x'.repeat(1024 * 1024 - 11)] },
      {
        reason: 'TooLarge',
        message:
          'spec.workflow.argsFrom: the arguments have 2097153 bytes as JSON, more than the 2097152 that Temporal takes; pass references to large data',
        needsChange: false,
      },
    ],
    [
      'while an argument cannot be written as JSON',
      anAIWorkflow(),
      { argsFrom: [parseJson('['.repeat(20_000) + ']'.repeat(20_000))] },
      {
        reason: 'InvalidArgument',
        message: 'spec.workflow.argsFrom: nested too deeply to be encoded',
        needsChange: false,
      },
    ],
  ])('%s', (_, run, change, expected) => {
    expect(startRequestOf(run, around(change))).toEqual(expected);
  });

  it.each([
    [['ai-inference'], true],
    [['ai-*'], true],
    [['*'], true],
    [['x', 'ai-inference'], true],
    [[], true],
    [['ai'], false],
    [['ai-inference*x'], false],
    [['*-inference'], false],
    [['AI-*'], false],
  ])('but for what a limit of %j allows: %p', (taskQueues, isAllowed) => {
    const answer = startRequestOf(anAIWorkflow(), around(through({ allowed: { taskQueues } })));
    expect('taskQueue' in answer).toBe(isAllowed);
  });

  it('where the spec is nested more deeply than can be written, and nobody crashes', () => {
    let deep: unknown = 1n;
    for (let level = 0; level < 20_000; level += 1) deep = [deep];
    const run = anAIWorkflow();
    const spec = { ...run.spec, workflow: { ...run.spec.workflow, args: [deep] } };
    expect(startRequestOf({ ...run, spec }, around())).toEqual({
      reason: 'InvalidSpec',
      message: 'spec.workflow.args: nested too deeply to be encoded',
      needsChange: true,
    });
  });
});

describe('the connection of a run', () => {
  const own = { kind: 'TemporalConnection', name: 'own' } as const;
  const theirs = { kind: 'ClusterTemporalConnection', name: 'shared' } as const;
  const worker = aWorker({ spec: { connectionRef: theirs } });
  const pinned = { status: { temporal: { connectionRef: { kind: 'ClusterTemporalConnection', name: 'pinned' } } } };

  it.each([
    ['is the default one', anAIWorkflow(), undefined, { kind: 'TemporalConnection', name: 'default' }],
    ['is that of its Worker', onPool, worker, theirs],
    ['is its own', anAIWorkflow({ spec: { connectionRef: own } }), worker, own],
    [
      'is the one it was started through, whatever its Worker says now',
      anAIWorkflow(pinned),
      worker,
      { kind: 'ClusterTemporalConnection', name: 'pinned' },
    ],
  ])('%s', (_, run, of, expected) => expect(connectionRefOf(run, of)).toEqual(expected));
});
