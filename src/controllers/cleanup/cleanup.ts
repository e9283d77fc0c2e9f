import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '../../api/resource.ts';
import { OperatorError, asOperatorError } from '../../errors.ts';
import type { Log } from '../../runtime/ports.ts';

/** The cluster as an uninstall needs it. What is gone already is no error in any of these. */
export interface CleanupCluster {
  /** Sets the replicas of the operator's Deployment to 0. Returns the label selector of its pods. */
  stopOperator(): Promise<string | undefined>;
  hasPods(selector: string): Promise<boolean>;
  /** Every AIWorkflow of the served namespaces, page by page. */
  runs(): AsyncIterable<readonly KubeObject[]>;
  /** Fails with retry `conflict` where the run has changed since it was read. */
  removeFinalizer(run: KubeObject, finalizer: string): Promise<void>;
  deleteLease(): Promise<void>;
  deleteEndpointSlices(): Promise<void>;
}

/** What bounds and accompanies a cleanup. */
export interface CleanupOptions {
  /** The finalizer that nobody will take off once the operator is gone. */
  readonly finalizer: string;
  /** Ends the cleanup where it stands. It can be started again at any time. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

const POLL_MS = 500;
/** Patches in flight. */
const BATCH = 16;

/**
 * Takes the operator out of a cluster, and out of the way of what stays there: first its pods, which would put things
 * back, then its finalizers, its Lease and its EndpointSlices. The users' resources, their runs and their pools stay.
 * Throws if a run could not be released, after all others were.
 */
export async function cleanUp(cluster: CleanupCluster, options: CleanupOptions): Promise<void> {
  const selector = await cluster.stopOperator();
  if (selector !== undefined) await waitWithoutPods(cluster, selector, options);
  options.log.info('the operator has stopped');
  const released = await releaseAll(cluster, options);
  options.log.info('runs are released', { released });
  await cluster.deleteLease();
  await cluster.deleteEndpointSlices();
  options.log.info('nothing of the operator is left');
}

async function waitWithoutPods(cluster: CleanupCluster, selector: string, { signal }: CleanupOptions): Promise<void> {
  while (await cluster.hasPods(selector)) await delay(POLL_MS, undefined, { signal });
}

/** Goes over all runs until none is held. A pass that frees none of those it finds would never end: it throws instead. */
async function releaseAll(cluster: CleanupCluster, options: CleanupOptions): Promise<number> {
  let released = 0;
  for (;;) {
    options.signal.throwIfAborted();
    const pass = await releasePass(cluster, options);
    released += pass.released;
    if (pass.failures.length === 0) return released;
    if (pass.failures.every(({ error }) => error.retry !== 'conflict')) throw couldNotRelease(pass.failures);
  }
}

interface Failure {
  readonly run: KubeObject;
  readonly error: OperatorError;
}

async function releasePass(
  cluster: CleanupCluster,
  { finalizer, signal }: CleanupOptions,
): Promise<{ readonly released: number; readonly failures: readonly Failure[] }> {
  let released = 0;
  const failures: Failure[] = [];
  for await (const page of cluster.runs()) {
    const held = page.filter(({ metadata }) => metadata.finalizers?.includes(finalizer));
    for (let i = 0; i < held.length; i += BATCH) {
      signal.throwIfAborted();
      const results = await Promise.all(held.slice(i, i + BATCH).map((run) => release(cluster, run, finalizer)));
      released += results.filter((failure) => failure === undefined).length;
      failures.push(...results.filter((failure) => failure !== undefined));
    }
  }
  return { released, failures };
}

async function release(cluster: CleanupCluster, run: KubeObject, finalizer: string): Promise<Failure | undefined> {
  try {
    await cluster.removeFinalizer(run, finalizer);
    return undefined;
  } catch (thrown) {
    return { run, error: asOperatorError(thrown) };
  }
}

function couldNotRelease(failures: readonly Failure[]): OperatorError {
  const names = failures.slice(0, 5).map(({ run: { metadata } }) => `${metadata.namespace ?? ''}/${metadata.name}`);
  const more = failures.length > names.length ? ` and ${failures.length - names.length} more` : '';
  const first = failures[0]?.error;
  return new OperatorError(
    first?.reason ?? 'InternalError',
    `Could not take the finalizer off ${names.join(', ')}${more}: ${first?.message ?? 'unknown'}`,
    { retry: 'backoff', cause: first },
  );
}
