import { describe, expect, it } from '@jest/globals';
import type { ObjectMeta } from '../../../../src/api/resource.ts';
import type { Scaling, Worker } from '../../../../src/api/worker.ts';
import { observeWorker } from '../../../../src/controllers/worker/observe.ts';
import type { KubeCondition, Pod } from '../../../../src/kube/types.ts';
import { anAIWorkflow, started } from '../../../builders/aiworkflow.ts';
import { aClusterConnection, aConnection } from '../../../builders/connection.ts';
import { aDeployment, aKubePod, aPoolWorld, type Held } from '../../../builders/poolworld.ts';
import { aWorker, NOW_MS } from '../../../builders/worker.ts';

const { signal } = new AbortController();
const connectionRef = { kind: 'ClusterTemporalConnection', name: 'shared' };
const shared = aClusterConnection({ spec: { allowedNamespaces: { names: ['team-a'] } } });

/** A Worker on the shared connection, made an hour ago. */
function aPeer(
  metadata: Partial<ObjectMeta> & { name: string },
  spec: Record<string, unknown> = {},
  scaling: Partial<Scaling> = {},
): Worker {
  const creationTimestamp = new Date(NOW_MS - 3_600_000).toISOString();
  const uid = `w-${metadata.name}`;
  return aWorker({ metadata: { creationTimestamp, uid, ...metadata }, spec: { connectionRef, ...spec }, scaling });
}

async function observed(held: Held, worker: Worker & { readonly problem?: string }) {
  const seen = await observeWorker(aPoolWorld(held), worker, signal);
  if (seen.kind !== 'served') throw new Error(seen.objection.message);
  return seen;
}

describe('a healthy Worker, on whose queue 5 tasks wait,', () => {
  const healthy = aPeer({ name: 'b-a10' });

  /** Pods that it wants beside another Worker, which comes first by name. */
  async function wantedBeside(other: Worker, rest: Partial<Held> = {}): Promise<number> {
    const { deployments = [], ...more } = rest;
    const held = { connection: shared, waiting: 5, workers: [other, healthy], ...more };
    const { decision } = await observed({ ...held, deployments: [aDeployment(healthy, 0), ...deployments] }, healthy);
    return decision.target;
  }

  const other = aPeer({ name: 'a-h100' });
  const waiting = (reason: string) => ({
    name: 'worker',
    ready: false,
    restartCount: 0,
    state: { waiting: { reason } },
  });
  const broken = (reason: string): Pod =>
    aKubePod(other, 'a-h100-1', { phase: 'Pending', conditions: [], containerStatuses: [waiting(reason)] });
  const saying = (type: string, status: KubeCondition['status']) => [{ type, status, message: 'no' }];

  it('leaves the work to one that comes first and is healthy, too', async () => {
    expect(await wantedBeside(other, { deployments: [aDeployment(other, 0)] })).toBe(0);
  });

  it('leaves the work to one that comes first and was made this second', async () => {
    const creationTimestamp = new Date(NOW_MS).toISOString();
    expect(await wantedBeside(aPeer({ name: 'a-h100', creationTimestamp }))).toBe(0);
  });

  it.each<[string, Worker & { readonly problem?: string }, Partial<Held>]>([
    ['is being deleted', aPeer({ name: 'a-h100', deletionTimestamp: '2026-01-01T12:00:00Z' }), {}],
    ['has a spec that is refused', { ...other, problem: 'spec.taskQueue: too long' }, {}],
    ['may not use the connection', aPeer({ name: 'a-h100', namespace: 'a-team' }, {}, { max: 10_000 }), {}],
    ['has no Deployment, for it was refused', other, { deployments: [] }],
    [
      'has a name that somebody else has taken',
      other,
      { deployments: [aDeployment(other, 3, { ownerUid: 'somebody' })] },
    ],
    ['cannot pull its image', other, { deployments: [aDeployment(other, 1)], pods: [broken('ImagePullBackOff')] }],
    ['crashes', other, { deployments: [aDeployment(other, 1)], pods: [broken('CrashLoopBackOff')] }],
    [
      'has used up its quota',
      other,
      { deployments: [aDeployment(other, 5, { conditions: saying('ReplicaFailure', 'True') })] },
    ],
    [
      'makes no progress',
      other,
      { deployments: [aDeployment(other, 5, { conditions: saying('Progressing', 'False') })] },
    ],
  ])('takes it all when the one that comes first %s', async (_, first, rest) => {
    const deployments = rest.deployments ?? [aDeployment(first, 0)];
    expect(await wantedBeside(first, { ...rest, deployments })).toBe(5);
  });

  it('takes it all when the one that comes first lacks credentials that it would have to bring', async () => {
    const spec = { apiKeySecretRef: { name: 'cloud', key: 'key' }, allowedNamespaces: { names: ['team-a'] } };
    const mine = {
      ...healthy,
      spec: { ...healthy.spec, credentials: { apiKeySecretRef: { name: 'mine', key: 'k' } } },
    };
    const held = { connection: aClusterConnection({ spec }), waiting: 5, workers: [other, mine] };
    const deployments = [aDeployment(other, 0), aDeployment(mine, 0)];
    expect((await observed({ ...held, deployments }, mine)).decision.target).toBe(5);
  });

  it('is the one that keeps a pod for the last task', async () => {
    const rest = { deployments: [aDeployment(other, 1)], pods: [broken('ImagePullBackOff')] };
    const workers = [other, healthy];
    const deployments = [aDeployment(healthy, 0), ...rest.deployments];
    const { decision } = await observed({ connection: shared, waiting: 1, workers, ...rest, deployments }, healthy);
    expect(decision.demand).toMatchObject({ share: 1, isHost: true });
  });
});

it('a Worker of another queue takes nothing away', async () => {
  const other = aPeer({ name: 'a-h100' }, { taskQueue: 'another' });
  const worker = aPeer({ name: 'b-a10' });
  const deployments = [aDeployment(other, 0), aDeployment(worker, 0)];
  const { decision } = await observed(
    { connection: shared, waiting: 5, workers: [other, worker], deployments },
    worker,
  );
  expect(decision.target).toBe(5);
});

describe('a pool that nothing needs any more', () => {
  const worker = aWorker({ spec: { connectionRef: { name: 'temporal' } } });
  const workflow = { type: 'Train', workerRef: { name: 'gpu-pool' } };
  const run = anAIWorkflow({ spec: { workflow }, status: { ...started, startTime: '2026-01-01T11:00:00Z' } });

  /** Looks at one pod that does nothing, every `everyMs` for `forMs`, and counts the questions about running activities. */
  async function asked(forMs: number, everyMs = 5_000): Promise<number> {
    let asked = 0;
    const describeWorkflowExecution = () => {
      asked += 1;
      return { pendingActivities: [] };
    };
    const held = { workers: [worker], deployments: [aDeployment(worker, 1)], runs: [run] };
    const pods = [aKubePod(worker, 'p0', { phase: 'Pending', conditions: [], containerStatuses: [] })];
    const world = aPoolWorld({ connection: aConnection(), temporal: { describeWorkflowExecution }, pods, ...held });
    for (const endMs = NOW_MS + forMs; world.nowMs <= endMs; world.nowMs += everyMs) {
      await observeWorker(world, worker, signal);
    }
    return asked;
  }

  it('asks Temporal whether an activity runs only when its pod could go', async () => {
    expect(await asked(295_000)).toBe(0);
    expect(await asked(300_000)).toBe(1);
  });
});
