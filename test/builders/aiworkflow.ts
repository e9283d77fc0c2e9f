import { AIWorkflow, type AIWorkflowStatus } from '../../src/api/aiworkflow.ts';
import type { ObjectMeta } from '../../src/api/resource.ts';
import type { ObservedRun, StartRequest } from '../../src/controllers/aiworkflow/observed.ts';

/** A valid AIWorkflow. Say only what the test is about; defaults come from the schema itself. */
export function anAIWorkflow(
  overrides: {
    metadata?: Partial<ObjectMeta>;
    spec?: Record<string, unknown>;
    status?: Partial<AIWorkflowStatus>;
  } = {},
): AIWorkflow {
  return {
    metadata: {
      name: 'summarize',
      namespace: 'team-a',
      uid: 'u-1',
      generation: 1,
      resourceVersion: '1',
      ...overrides.metadata,
    },
    spec: AIWorkflow.spec.parse({
      workflow: { type: 'AIWorkflow', taskQueue: 'ai-inference', args: ['hi'] },
      ...overrides.spec,
    }),
    status: { observedGeneration: -1, ...overrides.status },
  };
}

/** What a start of `anAIWorkflow` needs. */
export const aStartRequest: StartRequest = {
  workflowID: 'default/team-a/summarize',
  type: 'AIWorkflow',
  taskQueue: 'ai-inference',
  args: ['hi'],
  isShared: false,
};

/** A connection that works, as a run sees it. */
export function aConnectionView(
  overrides: Partial<Extract<ObservedRun['connection'], { isUsable: true }>> = {},
): Extract<ObservedRun['connection'], { isUsable: true }> {
  const ref = { kind: 'TemporalConnection', name: 'default' } as const;
  return { isUsable: true, ref, clusterID: 'c-1', namespaceID: 'n-1', namespace: 'default', ...overrides };
}

/** A world whose Temporal answers. */
export function aWorld(overrides: Partial<ObservedRun> = {}): ObservedRun {
  return { connection: aConnectionView(), ...overrides };
}

/** The status of a run that was started. */
export const started: Partial<AIWorkflowStatus> = {
  observedGeneration: 1,
  phase: 'Running',
  startTime: '2026-01-01T12:00:00.000Z',
  temporal: {
    connectionRef: { kind: 'TemporalConnection', name: 'default' },
    clusterID: 'c-1',
    namespaceID: 'n-1',
    namespace: 'default',
    workflowID: 'default/team-a/summarize',
    runID: 'r-1',
    firstRunID: 'r-1',
  },
};
