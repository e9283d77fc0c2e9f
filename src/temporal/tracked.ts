import type { Row } from './visibility.ts';

/** A live run whose end somebody waits for. */
export interface TrackedRun {
  /** Of the resource; whom to tell. */
  readonly uid: string;
  readonly workflowID: string;
  readonly firstRunID: string;
  /** The latest run of the chain that is known. */
  readonly runID: string;
  /** It was started this moment: nobody can have missed its end. */
  readonly isFresh?: boolean;
}

/** A tracked run and what is known of it. */
export interface Entry {
  run: TrackedRun;
  /** The watch's round in which it was first tracked. */
  readonly since: number;
  /** Closed runs that somebody was told of; each is told once. */
  readonly told: Set<string>;
  /** Nobody knows yet whether it ended before it was tracked. */
  isUnsure: boolean;
}

/** More closed runs of one chain than can be within reach of a query: Temporal restarts an ID once a second. */
const MAX_TOLD = 1_000;

/** The runs that are tracked, by resource and by workflow ID. */
export class TrackedRuns {
  private readonly entries = new Map<string, Entry>();
  private readonly byWorkflowID = new Map<string, Set<string>>();

  get size(): number {
    return this.entries.size;
  }

  all(): IterableIterator<Entry> {
    return this.entries.values();
  }

  get(uid: string): Entry | undefined {
    return this.entries.get(uid);
  }

  /** Adds a run, or replaces what is known of it. Returns whether it is new. */
  add(run: TrackedRun, since: number): boolean {
    const known = this.entries.get(run.uid);
    if (known?.run.workflowID === run.workflowID && known.run.firstRunID === run.firstRunID) {
      known.run = run;
      return false;
    }
    this.remove(run.uid);
    this.entries.set(run.uid, { run, since, told: new Set(), isUnsure: run.isFresh !== true });
    const uids = this.byWorkflowID.get(run.workflowID) ?? new Set();
    this.byWorkflowID.set(run.workflowID, uids.add(run.uid));
    return true;
  }

  remove(uid: string): void {
    const { workflowID } = this.entries.get(uid)?.run ?? {};
    if (workflowID === undefined) return;
    this.entries.delete(uid);
    const uids = this.byWorkflowID.get(workflowID);
    uids?.delete(uid);
    if (uids?.size === 0) this.byWorkflowID.delete(workflowID);
  }

  hasWorkflowID(workflowID: string): boolean {
    return this.byWorkflowID.has(workflowID);
  }

  /** Those that a row may be about: of its memo's uid, and of its workflow ID, whose chain a row does not tell. */
  concernedBy(row: Row): Entry[] {
    const uids = new Set(this.byWorkflowID.get(row.workflowID));
    if (row.uid !== undefined) uids.add(row.uid);
    return [...uids].flatMap((uid) => this.entries.get(uid) ?? []);
  }
}

/** Whether a row is about this very run, as far as a row can tell. */
export function isAbout({ run }: Entry, row: Row): boolean {
  return row.uid === run.uid || row.runID === run.runID || row.runID === run.firstRunID;
}

/** Notes that somebody is told of a closed run; false if they were before. */
export function tell({ told }: Entry, runID: string): boolean {
  if (told.has(runID)) return false;
  if (told.size === MAX_TOLD) told.clear();
  told.add(runID);
  return true;
}
