import type { AIWorkflow } from '../../api/aiworkflow.ts';
import type { Worker } from '../../api/worker.ts';
import type { ConnectionDirectory } from '../connection/directory.ts';
import type { ReadConfigMap } from './args.ts';
import type { RunMemory } from './memory.ts';
import type { RunTracker } from './tracker.ts';

/** Reads what the operator may know of a namespace; where it may not, the answer is that nothing is special. */
export type ReadNamespace = (
  name: string,
  signal: AbortSignal,
) => Promise<{ readonly labels: Readonly<Record<string, string>>; readonly isTerminating: boolean }>;

/** Reads a run as the API server has it, arguments and all. */
export type ReadRun = (run: AIWorkflow, signal: AbortSignal) => Promise<AIWorkflow>;

/** What observing a run needs from outside. */
export interface RunWorld {
  readonly clusterName: string;
  readonly connections: ConnectionDirectory;
  readonly workerOf: (namespace: string, name: string) => Worker | undefined;
  readonly readConfigMap: ReadConfigMap;
  readonly readNamespace: ReadNamespace;
  readonly readRun: ReadRun;
  readonly memory: RunMemory;
  readonly tracker: RunTracker;
  readonly now: () => Date;
}
