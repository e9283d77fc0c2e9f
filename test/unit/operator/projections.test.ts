import { describe, expect, it } from '@jest/globals';
import { MAX_RESOURCE_BYTES } from '../../../src/api/aiworkflow.ts';
import type { Condition } from '../../../src/api/conditions.ts';
import { stringifyJson } from '../../../src/api/json.ts';
import { startRequestOf, type Surroundings } from '../../../src/controllers/aiworkflow/request.ts';
import { isSettled, keptRun } from '../../../src/operator/projections.ts';
import { aConnection } from '../../builders/connection.ts';
import { anAIWorkflow, started } from '../../builders/aiworkflow.ts';

const workflow = { type: 'AIWorkflow', taskQueue: 'ai-inference' };
const withArgs = (...args: readonly unknown[]) => ({ workflow: { ...workflow, args } });
const bytesOf = (value: unknown) => Buffer.byteLength(stringifyJson(value));

describe('a run that waits for its start', () => {
  it('is kept whole where it is small', () => {
    const run = anAIWorkflow({ spec: withArgs('x'.repeat(7_000)) });
    expect(keptRun(run)).toEqual(run);
  });

  it.each([
    ['of ten kilobytes', ['x'.repeat(10_000)]],
    ['with integers of 64 bits', [2n ** 62n, 'ä'.repeat(10_000)]],
    ['beyond what is accepted', ['x'.repeat(1_400_000)]],
  ])('is kept without arguments %s, and with the size of what it was', (_, args) => {
    const run = anAIWorkflow({ spec: withArgs(...args) });
    const kept = keptRun(run);
    expect(kept).toEqual({ ...anAIWorkflow({ spec: { workflow } }), specBytes: bytesOf(run.spec) });
    expect(bytesOf(kept)).toBeLessThan(1_000);
  });

  it('is still refused for its size, to the byte', () => {
    const run = anAIWorkflow({ spec: withArgs('x'.repeat(1_400_000)) });
    const objection = startRequestOf(keptRun(run), around);
    expect(objection).toEqual(startRequestOf(run, around));
    expect(objection).toMatchObject({
      reason: 'TooLarge',
      needsChange: true,
      message: expect.stringMatching(new RegExp(`${bytesOf(run.spec)} bytes .* ${MAX_RESOURCE_BYTES} `)),
    });
  });

  it('has its other objections as ever', () => {
    const spec = { ...withArgs('x'.repeat(10_000)), workflowID: 'default/team-b/x' };
    expect(startRequestOf(keptRun(anAIWorkflow({ spec })), around)).toMatchObject({ reason: 'WorkflowIDForbidden' });
  });

  it('may have a spec that an older schema has let through', () => {
    const problem = 'spec.workflow: expected object';
    const odd = [undefined, null, 'text', { args: 'x'.repeat(10_000) }].map((value) => ({
      ...anAIWorkflow(),
      spec: { workflow: value },
      problem,
    }));
    for (const run of odd) expect(keptRun(run as never)).toMatchObject({ problem, metadata: { uid: 'u-1' } });
  });
});

describe('a run that was started', () => {
  it('is kept without arguments, which nobody will read again', () => {
    const run = anAIWorkflow({ spec: withArgs('hi'), status: started });
    expect(keptRun(run)).toEqual(anAIWorkflow({ spec: { workflow }, status: started }));
  });

  it('is small once it has ended and is free to go', () => {
    const metadata = { finalizers: [], annotations: { note: 'x' }, labels: { a: 'b' } };
    const finished = { type: 'Finished', status: 'True', reason: 'Succeeded', message: '', observedGeneration: 1 };
    const conditions = [finished as unknown as Condition];
    const run = anAIWorkflow({ metadata, spec: withArgs('hi'), status: { ...started, conditions } });
    const kept = keptRun(run);
    expect(isSettled(kept)).toBe(true);
    expect(bytesOf(kept)).toBeLessThan(400);
  });
});

it('of the metadata of a run nothing is kept that is large and that nobody reads', () => {
  const large = { note: 'x'.repeat(10_000) };
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'y' }];
  const kept = { finalizers: ['aiworkflow.dev/run'], deletionTimestamp: '2026-01-01T12:00:00Z' };
  const metadata = { ...kept, annotations: large, labels: large, ownerReferences, managedFields: [{}] };
  expect(keptRun(anAIWorkflow({ metadata }))).toEqual(anAIWorkflow({ metadata: kept }));
});

const around: Surroundings = {
  clusterName: 'default',
  connection: { isUsable: true, connection: aConnection() },
  argsFrom: [],
};
