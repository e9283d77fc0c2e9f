import type { Objection } from './credentials.ts';
import type { Decision } from './decide.ts';
import type { DesiredDeployment } from './deployment.ts';

/** What the world looks like to the scaler and the planner. Plain data, so that a test can type it out. */

/** One Temporal worker as it last reported itself: one process of one pod, on one task queue. */
export interface Beat {
  /** Unique for one life of the worker; a restarted container is another. */
  readonly instance: string;
  readonly identity: string;
  readonly hostName: string;
  readonly taskQueue: string;
  readonly status: 'Running' | 'ShuttingDown' | 'ShutDown' | 'Unknown';
  /** When it reported, by its own clock: good for telling beats apart, not for comparing with ours. */
  readonly beatAtMs: number;
  readonly startedAtMs: number;
  /** Time since its beat before, as it says itself. */
  readonly intervalMs?: number | undefined;
  /** Slots of activities in use; local activities and Nexus operations count as such. */
  readonly usedSlots: number;
  /** Slots of workflow tasks in use: work, but of milliseconds. */
  readonly usedWorkflowSlots: number;
  /** Slots of activities in all; undefined where the worker has no fixed number. */
  readonly totalSlots?: number | undefined;
  /** Activity tasks processed since the worker started. */
  readonly processedActivities: number;
  /** Tasks of every kind processed since the worker started. */
  readonly processed: number;
}

/** Somebody that polled the queue. */
export interface Poller {
  readonly identity: string;
}

/** The task queue and all workers of its Temporal namespace, as read at `readAtMs`. */
export interface ObservedQueue {
  readonly readAtMs: number;
  readonly activities: QueueFigures;
  readonly workflows: QueueFigures;
  readonly isRateLimited: boolean;
  readonly pollers: readonly Poller[];
  readonly beats: readonly Beat[];
}

export interface QueueFigures {
  readonly waiting: number;
  readonly ageSeconds: number;
  readonly addedPerSecond: number;
  readonly dispatchedPerSecond: number;
}

/** One pod of the pool that still exists. */
export interface ObservedPod {
  readonly name: string;
  /** Whether its containers are ready. */
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** Whether its worker container runs. A pod without can hold no work. */
  readonly hasProcess: boolean;
  /** Whether it carries the marks of a busy pod, see `guard.ts`. */
  readonly isGuarded: boolean;
  /** The ReplicaSet it belongs to; the cost of deletion ranks within one only. */
  readonly replicaSet: string;
  /** Hash of the template it was made from, see `deployment.ts`. */
  readonly templateHash: string;
  /** The scheduler's words where it found no node. */
  readonly unschedulable?: string | undefined;
  /** Why a container does not start, as the kubelet says. */
  readonly waitingReason?: string | undefined;
}

/** A run (or step) that was started and names this Worker, but may not have reached its queue's figures yet. */
export interface Claim {
  readonly uid: string;
  readonly startedAtMs: number;
}

/** The Deployment of the Worker's name. */
export interface ObservedDeployment {
  readonly uid: string;
  /** `predecessor`: of a Worker of that name that was deleted, or on its way out itself. */
  readonly owner: 'ours' | 'predecessor' | 'stranger';
  readonly replicas: number;
  /** As we wrote it; undefined where somebody took it off. */
  readonly hash?: string | undefined;
  readonly backlogReplicas?: number | undefined;
  /** The Deployment controller's words where a rollout makes no progress. */
  readonly deadlineExceeded?: string | undefined;
  /** Its words where it cannot create pods, e.g. for a quota. */
  readonly replicaFailure?: string | undefined;
}

/** Why a Worker cannot be served, and whether waiting may help. */
export interface WorkerObjection extends Objection {
  readonly needsChange: boolean;
}

/** Everything one pass over a Worker knows. */
export type ObservedWorker =
  | { readonly kind: 'objected'; readonly objection: WorkerObjection }
  | {
      readonly kind: 'served';
      readonly desired: DesiredDeployment;
      readonly deployment?: ObservedDeployment | undefined;
      readonly queue?: ObservedQueue | undefined;
      /** Why `queue` is not there. */
      readonly temporal?: Objection | undefined;
      readonly decision: Decision;
      /** Whether there is nothing to do about the budget now. */
      readonly hasBudget: boolean;
      /** Queues of this Temporal namespace that share one budget of calls. */
      readonly queues: number;
      /** When figures were last written to the status. */
      readonly figuresWrittenMs: number;
    };

export type ServedWorker = Extract<ObservedWorker, { kind: 'served' }>;
