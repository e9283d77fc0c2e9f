import { AIWorkflow } from './aiworkflow.ts';
import { ClusterTemporalConnection, TemporalConnection } from './connection.ts';
import type { ResourceDefinition } from './resource.ts';
import { Worker } from './worker.ts';

/** Every kind of the API, in the order of the reference page. */
export const kinds: readonly ResourceDefinition[] = [AIWorkflow, Worker, TemporalConnection, ClusterTemporalConnection];
