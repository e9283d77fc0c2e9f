import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { OperatorError } from '../errors.ts';
import { boundBytes } from '../api/conditions.ts';
import type { TemporalClient } from './clients.ts';

/** What a Temporal server and the namespace on it are and can do. */
export interface ServerDescription {
  readonly serverVersion: string;
  /** Identity of the cluster; `namespace:<ID>` where the server does not tell its own. */
  readonly clusterID: string;
  /** Identity of the Temporal namespace, which any credentials for it may read; the same on every cluster that it is replicated to. */
  readonly namespaceID: string;
  /** In the words of Temporal's API, e.g. `workflowPause`, `workerHeartbeats`; sorted, at most 32. */
  readonly capabilities: readonly string[];
  /** How long closed runs are kept. */
  readonly retentionMs?: number | undefined;
}

/** Of what a status can hold. Whoever made the connection chose the server, which may say anything. */
const MAX_BYTES = 128;
const MAX_CAPABILITIES = 32;
/** A probe that waits longer would only keep others from being made. */
const PROBE_DEADLINE_MS = 5_000;

/** Asks for all of it, in three calls. Throws TemporalNamespaceNotFound where the namespace does not exist. */
export async function describeServer(client: TemporalClient, signal?: AbortSignal): Promise<ServerDescription> {
  const options = { what: 'reach Temporal', priority: 'control', signal, deadlineMs: PROBE_DEADLINE_MS } as const;
  const [system, namespace, cluster] = await Promise.all([
    client.call('getSystemInfo', {}, options),
    client.call('describeNamespace', {}, options),
    client.call('getClusterInfo', {}, options).catch(orUnknown),
  ]);
  const { namespaceInfo, config } = namespace;
  const namespaceID = boundBytes(namespaceInfo?.id ?? '', MAX_BYTES);
  return {
    serverVersion: boundBytes(system.serverVersion || cluster?.serverVersion || '', MAX_BYTES),
    namespaceID,
    clusterID: boundBytes(cluster?.clusterId || `namespace:${namespaceID}`, MAX_BYTES),
    capabilities: capabilitiesIn(namespaceInfo?.capabilities, system.capabilities),
    retentionMs: optionalTsToMs(config?.workflowExecutionRetentionTtl),
  };
}

/** Credentials for one namespace need not include the right to look at the cluster. */
function orUnknown(error: unknown): undefined {
  if (error instanceof OperatorError && (error.reason === 'TemporalForbidden' || error.reason === 'TemporalRejected'))
    return;
  throw error;
}

/** The namespace's own first: they are the ones that differ between namespaces. */
function capabilitiesIn(...sources: readonly (object | null | undefined)[]): string[] {
  const able = sources.flatMap((source) => Object.entries(source ?? {}).filter(([, is]) => is === true));
  return [...new Set(able.map(([name]) => name))].slice(0, MAX_CAPABILITIES).sort();
}
