import { isDeepStrictEqual } from 'node:util';
import type { AIWorkflow } from '../../src/api/aiworkflow.ts';
import { isTrue } from '../../src/api/conditions.ts';
import type { PoolRecord } from './pool.ts';

/** What the demo promises, and whether it was so. */
export interface Claim {
  readonly text: string;
  readonly holds: boolean;
}

/** Judges what was seen of the example's run. Pure. */
export function claimsOfRun({ status: { phase, result, conditions } }: AIWorkflow): Claim[] {
  const answer = 'Inference result for: Your AI prompt here';
  return [
    { text: 'phase is Succeeded', holds: phase === 'Succeeded' },
    { text: `result is "${answer}"`, holds: result === answer },
    { text: 'condition Succeeded is True', holds: isTrue(conditions, 'Succeeded') },
    { text: 'condition Finished is True', holds: isTrue(conditions, 'Finished') },
  ];
}

/** Judges what was seen of its pool. Pure. */
export function claimsOfPool({ replicas, pods }: Pick<PoolRecord, 'replicas' | 'pods'>): Claim[] {
  const { node, gpus, end } = pods.at(-1) ?? {};
  return [
    { text: `replicas of the pool went ${replicas.join(' → ')}`, holds: isDeepStrictEqual(replicas, [0, 1, 0]) },
    { text: `one worker pod ran on ${node ?? 'no node'}`, holds: pods.length === 1 && node !== undefined },
    { text: `it had nvidia.com/gpu: ${gpus ?? '0'}`, holds: gpus === '1' },
    {
      text: `it ended on SIGTERM and was not killed: exit code ${end?.exitCode ?? 'unknown'}`,
      holds: end?.exitCode === 0,
    },
  ];
}
