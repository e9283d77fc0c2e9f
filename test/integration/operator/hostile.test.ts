import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startOperator } from './process.ts';
import type { Runs } from './runs.ts';
import { openScene, type Scene } from './scene.ts';

jest.setTimeout(120_000);
let scene: Scene;
let runs: Runs;
let next = 0;

beforeAll(async () => {
  scene = await openScene('hostile');
  ({ runs } = scene);
}, 180_000);

afterAll(() => scene.close());

/** Terminals act on these: the log must hold them in no other form than escaped. */
const controlCharacter = /(?!\n)\p{Cc}/u;

// Whatever came, the same process serves the next run.
afterEach(async () => {
  const name = `after-${(next += 1)}`;
  await runs.apply(name, { type: 'EchoWorkflow', args: [name] });
  const { status } = await runs.untilFinished(name);
  expect(status.result).toEqual([name]);
  expect(scene.operator.isRunning()).toBe(true);
  expect(scene.operator.output()).not.toMatch(controlCharacter);
});

const nestedText = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const controls = '\u0000\u0001\u001b[31m\u001b]0;title\u0007\r\n\u007f\u009b31m\u2028\u202e';
const prototypes = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}') as unknown;

describe('arguments come back as they are:', () => {
  it.each([
    ['__proto__ and constructor', prototypes],
    ['NUL and control characters', controls],
    ['members named by control characters', { [controls]: controls }],
    ['a nesting of five hundred', JSON.parse(nestedText(500))],
    ['nulls, in lists and in objects', [null, { a: null, b: [null] }]],
    ['characters beyond the basic plane', '😀𝕏 \u{10ffff}'],
    ['an empty object, list and string', [{}, [], '']],
  ])('%s', async (what, value) => {
    const name = what.replaceAll(/[^a-z]+/g, '-').replaceAll(/^-|-$/g, '');
    await runs.apply(name, { type: 'EchoWorkflow', args: [value] });
    const { status } = await runs.untilFinished(name);
    expect(status.result).toEqual([value]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('integers up to the limits of 64 bits, exactly', async () => {
    const text = '[9223372036854775807,-9223372036854775807,9007199254740993,{"n":[-9007199254740993]}]';
    await createText('integers', `{"type":"EchoWorkflow","taskQueue":"queue","args":${text}}`);
    await runs.untilFinished('integers');
    // Not by our own client, which would round them: kubectl keeps what the API server has.
    const shown = await scene.shared.kubectl(['get', 'aiwf', 'integers', '-n', runs.namespace, '-o', 'json']);
    const result = shown.slice(shown.indexOf('"result"')).replaceAll(/\s+/g, '');
    expect(result).toContain(`"result":${text}`);
  });
});

describe('a result', () => {
  it('of two hundred kilobytes is shown by its beginning, and says so', async () => {
    await runs.apply('large', { type: 'EchoWorkflow', args: ['ä'.repeat(100_000)] });
    const { status } = await runs.untilFinished('large');
    expect(status.resultTruncated).toBe(true);
    expect(new TextEncoder().encode(status.result as string).length).toBeLessThanOrEqual(4096);
    expect(status.result).toMatch(/^\["[äu\\0e4]+$/);
  });

  it('that is null is shown as null', async () => {
    await runs.apply('null', { type: 'WaitSignalWorkflow' });
    await runs.untilStarted('null');
    await scene.chains.signal(runs.workflowID('null'), 'finish', null);
    const { status } = await runs.untilFinished('null');
    expect(status).toHaveProperty('result', null);
    expect(status.resultTruncated).toBeUndefined();
  });
});

it('a failure full of control characters is shown, and logged escaped', async () => {
  await runs.apply('failing', { type: 'FailingWorkflow', args: [controls] });
  const { status } = await runs.untilFinished('failing', 'Failed');
  expect(status.failure).toMatchObject({ type: 'ValueError', activity: 'always_fail' });
  expect(status.failure?.message).toContain('31m');
});

it('arguments nested five thousand deep are started, and an operator that begins with them serves the rest', async () => {
  await createText('deep', `{"type":"EchoWorkflow","taskQueue":"nobody-polls","args":[${nestedText(5_000)}]}`);
  await runs.untilStarted('deep');
  await scene.operator.kill();
  scene.operator = await startOperator(scene.shared, runs.namespace);
  await runs.delete('deep');
  await scene.temporal('workflow', 'terminate', '--workflow-id', runs.workflowID('deep'));
  await runs.untilGone('deep');
});

it('types and queues full of control characters are started', async () => {
  await runs.apply('names', { type: controls, taskQueue: controls });
  await runs.untilStarted('names');
  await scene.temporal('workflow', 'terminate', '--workflow-id', runs.workflowID('names'));
  await runs.untilFinished('names', 'Terminated');
});

it('workflow IDs that mean something in a query of Temporal are only what they are', async () => {
  const ids = ['%_*?--/*;#:v1', ') OR WorkflowId STARTS_WITH (', '`${a}` && || 😀\u2028\u202e', ' '];
  for (const [index, workflowID] of ids.entries()) {
    await runs.apply(`id-${index}`, { type: 'WaitSignalWorkflow' }, { workflowID });
    await runs.untilStarted(`id-${index}`);
  }
  // One ends at a time: the others go on.
  for (const [index, workflowID] of ids.entries()) {
    await scene.chains.signal(workflowID, 'finish', index);
    const { status } = await runs.untilFinished(`id-${index}`, 'Succeeded', 15_000);
    expect(status).toMatchObject({ result: index, temporal: { workflowID } });
  }
});

/** Creates a run from the text of its `spec.workflow`: JavaScript would round its numbers, or find it too deep. */
async function createText(name: string, workflow: string): Promise<void> {
  const body = `{"apiVersion":"aiworkflow.dev/v1alpha1","kind":"AIWorkflow","metadata":{"name":"${name}"},"spec":{"workflow":${workflow}}}`;
  await scene.shared.api.call(runs.path('aiworkflows'), { method: 'POST', body });
}
