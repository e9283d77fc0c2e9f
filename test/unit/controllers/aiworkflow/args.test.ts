import { describe, expect, it } from '@jest/globals';
import { argsFromOf, orUndefined, type ReadConfigMap } from '../../../../src/controllers/aiworkflow/args.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { anAIWorkflow } from '../../../builders/aiworkflow.ts';

const never = new AbortController().signal;

/** ConfigMaps of the namespace team-a, by name. */
const reading =
  (maps: Readonly<Record<string, Readonly<Record<string, string>>>>): ReadConfigMap =>
  (namespace, name) =>
    Promise.resolve(namespace === 'team-a' ? maps[name] : undefined);

const runFrom = (...refs: readonly [name: string, key: string][]) => {
  const argsFrom = refs.map(([name, key]) => ({ configMapKeyRef: { name, key } }));
  return anAIWorkflow({ spec: { workflow: { type: 'T', taskQueue: 'q', argsFrom } } });
};

describe('arguments from ConfigMaps', () => {
  it('are none where none are named', async () => {
    expect(await argsFromOf(anAIWorkflow(), reading({}), never)).toEqual([]);
  });

  it('are JSON, in order, with big integers exact and members called __proto__', async () => {
    const maps = { a: { x: '{"b": [1, null]}', y: '9007199254740993' }, b: { x: '"text"', y: '{"__proto__": 1}' } };
    const run = runFrom(['a', 'y'], ['b', 'x'], ['a', 'x'], ['b', 'y']);
    const values = await argsFromOf(run, reading(maps), never);
    expect(values).toEqual([9_007_199_254_740_993n, 'text', { b: [1, null] }, JSON.parse('{"__proto__": 1}')]);
  });

  it.each([
    ['a ConfigMap that is not there', ['other', 'x'], 'ConfigMapNotFound', 'there is no such value'],
    ['a key that is not there', ['a', 'other'], 'ConfigMapNotFound', 'there is no such value'],
    ['a value that is no JSON', ['a', 'bad'], 'InvalidArgument', 'the value is not JSON'],
    ['an empty value', ['a', 'empty'], 'InvalidArgument', 'the value is not JSON'],
  ] as const)('name %s, which may yet come', async (_, [name, key], reason, words) => {
    const maps = { a: { x: '1', bad: 'secret{', empty: '' } };
    expect(await argsFromOf(runFrom(['a', 'x'], [name, key]), reading(maps), never)).toEqual({
      reason,
      message: `spec.workflow.argsFrom[1]: ConfigMap ${name}, key ${key}: ${words}`,
      needsChange: false,
    });
  });

  it('are not made up where they cannot be read', async () => {
    const error = new OperatorError('KubernetesUnavailable', 'away', { retry: 'backoff' });
    await expect(argsFromOf(runFrom(['a', 'x']), () => Promise.reject(error), never)).rejects.toBe(error);
  });
});

describe('an object that is missing', () => {
  it('is an answer, and every other error an error', async () => {
    const of = (reason: 'NotFound' | 'KubernetesForbidden') => new OperatorError(reason, 'x', { retry: 'never' });
    expect(await orUndefined(Promise.resolve(1))).toBe(1);
    await expect(orUndefined(Promise.reject(of('NotFound')))).resolves.toBeUndefined();
    await expect(orUndefined(Promise.reject(of('KubernetesForbidden')))).rejects.toThrow('x');
    await expect(orUndefined(Promise.reject(new Error('strange')))).rejects.toThrow('strange');
  });
});
