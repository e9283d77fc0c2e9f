import type { Failure } from '../../api/aiworkflow.ts';
import type { ConnectionRef } from '../../api/fields.ts';
import type { Reason } from '../../api/reasons.ts';

/** What the world looks like to the planner of runs. Plain data, so that a test can type it out. */
export interface ObservedRun {
  readonly connection: ObservedConnection;
  /** What would be started; absent once the run is started or the resource is being deleted. */
  readonly start?: StartRequest | Objection;
  /** Where Temporal says the run stands; absent unless something hinted that it has changed. */
  readonly run?: ObservedEnd;
  readonly deletion?: ObservedDeletion;
}

export type ObservedConnection =
  | {
      readonly isUsable: true;
      readonly ref: ConnectionRef;
      readonly clusterID: string;
      readonly namespaceID: string;
      readonly namespace: string;
      readonly uiUrl?: string | undefined;
      /** Since when Temporal has not answered through it. */
      readonly awaySince?: Date | undefined;
    }
  | ({
      readonly isUsable: false;
      /** Since when; undefined where that is not known. */
      readonly since?: Date | undefined;
    } & Objection);

/** Whether Temporal, which was reached before, is silent: asking it now would only keep others waiting. */
export function isAway(connection: ObservedConnection): boolean {
  return connection.isUsable && connection.awaySince !== undefined;
}

/** Why a run cannot be started now. */
export interface Objection {
  readonly reason: Reason;
  readonly message: string;
  /** Only a change of the spec helps: kstatus calls it stalled. Else it goes on by itself. */
  readonly needsChange: boolean;
}

/** Everything a start needs, resolved. */
export interface StartRequest {
  readonly workflowID: string;
  readonly type: string;
  readonly taskQueue: string;
  readonly args: readonly unknown[];
  /** The connection serves several namespaces. */
  readonly isShared: boolean;
}

/** The outcome words, which are also the reasons of the condition Finished. */
export type RunOutcome = 'Succeeded' | 'Failed' | 'Canceled' | 'Terminated' | 'TimedOut';

export type ObservedEnd =
  | { readonly kind: 'live' }
  | {
      readonly kind: 'ended';
      readonly runID: string;
      readonly outcome: RunOutcome;
      readonly closeTime: Date;
      readonly startTime?: Date | undefined;
      readonly result?: { readonly value: unknown; readonly isTruncated: boolean } | undefined;
      readonly failure?: Failure | undefined;
    }
  /** Temporal does not know the run; `since` is when it was first said. */
  | { readonly kind: 'notFound'; readonly since: Date }
  /** It could not be asked, and the pass goes on without the answer; `since` is when that began. */
  | { readonly kind: 'unknown'; readonly reason: Reason; readonly message: string; readonly since: Date };

export interface ObservedDeletion {
  /** The run that deleting the resource must end; absent where there is none. */
  readonly run?: { readonly workflowID: string; readonly firstRunID: string } | undefined;
  /** What this process has already asked of it. */
  readonly asked?: 'cancel' | 'terminate' | undefined;
  /** When this process first looked at the deletion: one that has just begun must have a chance to end the run. */
  readonly seenAt: Date;
  /** Since when the namespace is terminating or the credentials are gone: nobody can repair anything, so do not wait long. */
  readonly hastySince?: Date | undefined;
}

/** Whether `start` is a reason not to. */
export function isObjection(start: StartRequest | Objection): start is Objection {
  return 'reason' in start;
}
