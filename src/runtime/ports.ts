import type { KubeObject } from '../api/resource.ts';

/**
 * What the runtime library asks of the world. `kube/` implements these; tests
 * implement them by hand to injure the library in ways a real server rarely does.
 */

/** One page of a list; `continue` is absent on the last. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

/** One line of a watch. A server ERROR line is thrown by `watch` as an OperatorError instead. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** One collection of one kind, with its selectors already bound. */
export interface Source<T extends KubeObject> {
  /** E.g. `aiworkflows.aiworkflow.dev`; for logs and metrics. */
  readonly name: string;
  list(options: { limit: number; continue?: string; signal: AbortSignal }): Promise<ListPage<T>>;
  /** Ends without an error when the server's `timeoutSeconds` is over. Throws Expired (below) on 410. */
  watch(options: {
    resourceVersion: string;
    timeoutSeconds: number;
    signal: AbortSignal;
  }): AsyncIterable<WatchEvent<T>>;
}

/** The resourceVersion (or continue token) is too old: list again. */
export class Expired extends Error {
  override readonly name = 'Expired';
}

/** The fields of a `coordination.k8s.io/v1` Lease that election uses; times as the server keeps them. */
export interface LeaseRecord {
  readonly resourceVersion: string;
  readonly holder: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly transitions: number;
}

/** Reads and writes one Lease. Writes are compare-and-swap by resourceVersion: false when somebody else was faster. */
export interface LeaseStore {
  read(signal: AbortSignal): Promise<LeaseRecord | undefined>;
  create(record: Omit<LeaseRecord, 'resourceVersion'>, signal: AbortSignal): Promise<LeaseRecord | false>;
  update(record: LeaseRecord, signal: AbortSignal): Promise<LeaseRecord | false>;
  /** Yields the Lease whenever it changes or vanishes; ends at will, throws on any error. */
  watch(signal: AbortSignal): AsyncIterable<LeaseRecord | undefined>;
}

/** One Event as `events.k8s.io/v1` wants it. */
export interface EventRecord {
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
  };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  /** At most 1,024 bytes. */
  readonly note: string;
}

/** Writes Events; `series` counts repetitions of the one created under `name`. */
export interface EventSink {
  create(event: EventRecord, at: Date): Promise<{ readonly name: string }>;
  repeat(
    name: string,
    event: EventRecord,
    series: { readonly count: number; readonly lastObservedTime: Date },
  ): Promise<void>;
}

/** Structured log; the message is constant, what varies goes into the fields. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  child(fields: Readonly<Record<string, unknown>>): Log;
}
