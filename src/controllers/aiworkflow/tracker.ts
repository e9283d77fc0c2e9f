import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { keyOf } from '../../api/resource.ts';
import type { TemporalClient } from '../../temporal/clients.ts';
import { CompletionWatch, type WatchLog } from '../../temporal/completions.ts';
import type { TrackedRun } from '../../temporal/tracked.ts';

/** A run whose end is waited for, and the key of its resource. */
export interface FollowedRun extends TrackedRun {
  readonly key: string;
}

/** Which connection a run is followed through. */
export interface Through {
  /** The connection's key. */
  readonly key: string;
  readonly client?: TemporalClient | undefined;
}

/** Follows live runs and hints when one of them may have ended. */
export interface RunTracker {
  /** Follows a run until `untrack`. Calling it again is free, and tells of a later run of the chain. */
  track(run: FollowedRun, through: Through): void;
  untrack(uid: string): void;
}

/** The run that a resource's status names. Undefined before its start. */
export function followedRun(resource: AIWorkflow, latestRunID: string | undefined): FollowedRun | undefined {
  const { workflowID, firstRunID, runID } = resource.status.temporal ?? {};
  if (workflowID === undefined || firstRunID === undefined || runID === undefined) return undefined;
  return { uid: resource.metadata.uid, key: keyOf(resource), workflowID, firstRunID, runID: latestRunID ?? runID };
}

/** What a tracker needs. */
export interface CompletionTrackerOptions {
  readonly clusterName: string;
  /** Told that the run of a resource may have ended. */
  readonly onHint: (uid: string, key: string) => void;
  readonly log: WatchLog;
}

/** One completion watch for each connection, whatever the number of runs on it. */
export class CompletionTracker implements RunTracker {
  private readonly options: CompletionTrackerOptions;
  private readonly runs = new Map<string, { readonly run: FollowedRun; readonly connection: string }>();
  private readonly watches = new Map<string, { readonly client: TemporalClient; readonly watch: CompletionWatch }>();
  private readonly stopping: Promise<void>[] = [];

  constructor(options: CompletionTrackerOptions) {
    this.options = options;
  }

  track(run: FollowedRun, { key, client }: Through): void {
    if (!client) return;
    const known = this.runs.get(run.uid);
    if (known && known.connection !== key) this.untrack(run.uid);
    this.runs.set(run.uid, { run, connection: key });
    this.watchOf(key, client).track(run);
  }

  untrack(uid: string): void {
    const known = this.runs.get(uid);
    if (!known) return;
    this.runs.delete(uid);
    this.watches.get(known.connection)?.watch.untrack(uid);
  }

  /** How many runs are followed, by connection; for metrics. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.watches].map(([key, { watch }]) => [key, watch.stats().tracked]));
  }

  /** The connection is gone for good, and no run needs it. */
  drop(connection: string): void {
    this.end(connection);
  }

  /** Ends all watches. No hint comes later. */
  async stop(): Promise<void> {
    for (const key of [...this.watches.keys()]) this.end(key);
    await Promise.all(this.stopping);
  }

  /** A connection whose namespace was changed has another client: what it follows is looked for there. */
  private watchOf(key: string, client: TemporalClient): CompletionWatch {
    const known = this.watches.get(key);
    if (known?.client === client) return known.watch;
    this.end(key);
    const watch = new CompletionWatch({
      client,
      prefix: prefixOf(this.options.clusterName, key),
      onHint: (uid) => this.hint(uid),
      log: this.options.log,
    });
    this.watches.set(key, { client, watch });
    void watch.start();
    for (const { run, connection } of this.runs.values()) {
      if (connection === key) watch.track({ ...run, isFresh: false });
    }
    return watch;
  }

  private end(key: string): void {
    const known = this.watches.get(key);
    if (!known) return;
    this.watches.delete(key);
    this.stopping.push(known.watch.stop());
  }

  private hint(uid: string): void {
    const known = this.runs.get(uid);
    if (known) this.options.onHint(uid, known.run.key);
  }
}

/** What IDs of our making begin with, of runs on that connection: one that has a namespace serves no other. */
function prefixOf(clusterName: string, connectionKey: string): string {
  const [kind, namespace = ''] = connectionKey.split('/');
  return kind === 'TemporalConnection' ? `${clusterName}/${namespace}/` : `${clusterName}/`;
}
