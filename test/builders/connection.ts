import { ClusterTemporalConnection, TemporalConnection, type Connection } from '../../src/api/connection.ts';
import type { ObjectMeta } from '../../src/api/resource.ts';
import type { ServerDescription } from '../../src/temporal/server.ts';

interface Overrides {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Record<string, unknown>;
  readonly status?: Partial<Connection['status']>;
}

/** A valid TemporalConnection. Say only what the test is about; defaults come from the schema itself. */
export function aConnection({ metadata, spec, status }: Overrides = {}): TemporalConnection {
  return {
    kind: 'TemporalConnection',
    metadata: {
      name: 'temporal',
      namespace: 'team-a',
      uid: 'c-1',
      generation: 1,
      resourceVersion: '1',
      ...metadata,
    },
    spec: TemporalConnection.spec.parse({ address: 'temporal:7233', ...spec }),
    status: { observedGeneration: -1, ...status },
  };
}

/** A valid ClusterTemporalConnection. */
export function aClusterConnection({ metadata, spec, status }: Overrides = {}): ClusterTemporalConnection {
  return {
    kind: 'ClusterTemporalConnection',
    metadata: { name: 'shared', uid: 'c-2', generation: 1, resourceVersion: '1', ...metadata },
    spec: ClusterTemporalConnection.spec.parse({ address: 'temporal:7233', ...spec }),
    status: { observedGeneration: -1, ...status },
  };
}

/** A server as it describes itself. */
export const aServer: ServerDescription = {
  serverVersion: '1.32.0',
  clusterID: 'cluster-1',
  namespaceID: 'namespace-1',
  capabilities: ['workerHeartbeats', 'workflowPause'],
  retentionMs: 72 * 3_600_000,
};
