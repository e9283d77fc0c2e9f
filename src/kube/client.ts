import type { KubeObject } from '../api/resource.ts';
import type { ListPage, Source, WatchEvent } from '../runtime/ports.ts';
import type { Kind } from './kinds.ts';
import type { ObjectName, Selection } from './path.ts';

/** What every call can be told. */
export interface CallOptions {
  /** Gives the call up, whatever has become of it. */
  readonly signal?: AbortSignal | undefined;
  /** For all attempts and the pauses between them; 15 s unless given. */
  readonly deadlineMs?: number | undefined;
}

/** An object to be written. `apiVersion` and `kind` are added from the Kind. */
export interface Manifest {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly uid?: string | undefined;
    readonly resourceVersion?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly finalizers?: readonly string[] | undefined;
    readonly ownerReferences?: KubeObject['metadata']['ownerReferences'] | undefined;
  };
  readonly [field: string]: unknown;
}

/** One step of a JSON patch (RFC 6902). */
export type PatchStep =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Of a patch: which part of the object. */
export interface PatchOptions extends CallOptions {
  readonly subresource?: 'status' | 'scale';
}

/** Of a creation. */
export interface CreateOptions extends CallOptions {
  /** Go through everything, admission included, and keep nothing. */
  readonly dryRun?: true;
}

/** Of a server-side apply. */
export interface ApplyOptions extends PatchOptions {
  readonly fieldManager: string;
  /** Takes fields over from whoever owns them. Takes over a stranger's object too: pass `metadata.uid` to prevent that. */
  readonly force: boolean;
}

/** Of a deletion. */
export interface DeleteOptions extends CallOptions {
  /** What becomes of the objects it owns; `Background` unless given. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  /** Delete nothing unless it is this very object, this very version of it; else retry `conflict`. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly gracePeriodSeconds?: number;
}

/** Of one page of a list. */
export interface ListOptions extends Selection, CallOptions {
  /** Objects on a page; all on one unless given. */
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
}

/** Of a watch. Its deadline is `timeoutSeconds` and a little. */
export interface WatchOptions extends Selection {
  /** Empty: begin with what there is, each as ADDED. */
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/**
 * The Kubernetes API as the operator uses it. Every call has a deadline, is
 * repeated where that is as good as making it once, and throws an OperatorError:
 *
 * - `NotFound`, `AlreadyExists`, `KubernetesForbidden`; who asked decides what it means.
 * - `Conflict` with retry `conflict`: the object has changed since it was read.
 * - `KubernetesRejected`, `TooLarge` with retry `never`: the same again would fail again.
 * - `KubernetesUnavailable`: nobody knows whether it was done.
 * - `LeadershipLost` with retry `never`: see `fencedBy`.
 *
 * Integers beyond 2^53 are bigints in what is read and what is written.
 */
export interface KubeClient {
  get<T extends KubeObject>(kind: Kind<T>, object: ObjectName, options?: CallOptions): Promise<T>;
  /** Like `get`, but undefined where there is none. */
  find<T extends KubeObject>(kind: Kind<T>, object: ObjectName, options?: CallOptions): Promise<T | undefined>;
  /** One page. Throws Expired when `continue` is too old. */
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<ListPage<T>>;
  /** Ends without an error with `timeoutSeconds`, and when the signal is aborted. Throws Expired on 410. */
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** A collection with its selection bound, for the runtime's reflector. */
  source<T extends KubeObject>(kind: Kind<T>, selection?: Selection): Source<T>;

  /** Repeated only where it surely was not done. */
  create<T extends KubeObject>(kind: Kind<T>, object: Manifest, options?: CreateOptions): Promise<T>;
  /** Replaces the whole object; with `metadata.resourceVersion` only the version it was made from. */
  replace<T extends KubeObject>(kind: Kind<T>, object: Manifest, options?: CallOptions): Promise<T>;
  applyServerSide<T extends KubeObject>(kind: Kind<T>, object: Manifest, options: ApplyOptions): Promise<T>;
  /** Repeated only if one of its steps names the resourceVersion. */
  patchJson<T extends KubeObject>(
    kind: Kind<T>,
    object: ObjectName,
    steps: readonly PatchStep[],
    options?: PatchOptions,
  ): Promise<T>;
  /** A null deletes: to write one, use `patchJson`. */
  patchMerge<T extends KubeObject>(
    kind: Kind<T>,
    object: ObjectName,
    patch: object,
    options?: PatchOptions,
  ): Promise<T>;
  /** Succeeds where there is nothing to delete. */
  delete(kind: Kind<KubeObject>, object: ObjectName, options?: DeleteOptions): Promise<void>;

  /** Replaces the whole status if the object is still the version given. One write; keeps nulls. */
  replaceStatus<T extends KubeObject>(kind: Kind<T>, object: T, status: unknown, options?: CallOptions): Promise<T>;
  /** If the object is still the version given. Returns it as it is afterwards; no call if the finalizer is there. */
  addFinalizer<T extends KubeObject>(kind: Kind<T>, object: T, finalizer: string, options?: CallOptions): Promise<T>;
  /** If the object is still the version given. No call if the finalizer is not there. */
  removeFinalizer<T extends KubeObject>(kind: Kind<T>, object: T, finalizer: string, options?: CallOptions): Promise<T>;

  /**
   * This client for as long as the signal lasts: once it is aborted no write is
   * sent any more, those in flight are given up, and all of them throw
   * `LeadershipLost`. Reads go on. A write that had reached the server may
   * still be done. `isHeld` is asked before each write is sent, and must be
   * right even where the signal's own event has not had its turn yet.
   */
  fencedBy(signal: AbortSignal, isHeld?: () => boolean): KubeClient;
  /** Ends all connections, also those of every client made from this one. */
  close(): Promise<void>;
}
