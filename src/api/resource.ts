import type * as z from 'zod';

/** The API group of every kind of this operator. */
export const GROUP = 'aiworkflow.dev';
/** The one version that is served and stored. */
export const VERSION = 'v1alpha1';

/** An owner, as in `metadata.ownerReferences`. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** The part of Kubernetes object metadata that the operator reads. */
export interface ObjectMeta {
  readonly name: string;
  /** Absent on cluster-scoped kinds. */
  readonly namespace?: string;
  readonly uid: string;
  readonly generation?: number;
  readonly resourceVersion: string;
  readonly creationTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** The least any Kubernetes object has. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** An object with a spec that is obeyed and a status that is written. */
export interface AnyResource extends KubeObject {
  readonly spec: unknown;
  readonly status: unknown;
}

/** A CEL rule as the CRD carries it. `fieldPath` is relative to where the rule stands. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
}

/** A column of `kubectl get`; priority 1 shows with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}

/** Everything about a kind that YAML, validation, types and docs are made from. */
export interface ResourceDefinition<Spec extends z.ZodType = z.ZodType, Status extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  /**
   * `all` only for what a user may lose to `kubectl delete all --all`. None may be the name of a kind: kubectl would
   * take the category, and `kubectl get aiworkflow NAME` fail.
   */
  readonly categories: readonly string[];
  readonly description: string;
  readonly columns: readonly Column[];
  readonly spec: Spec;
  readonly status: Status;
  /** Rules on the whole object, e.g. on metadata.name. They have no path: the message must name the field. */
  readonly rules?: readonly Rule[];
  readonly scale?: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath: string;
  };
}

/** The TypeScript type of the objects of a kind, after defaults. */
export type ResourceOf<D> =
  D extends ResourceDefinition<infer Spec, infer Status>
    ? KubeObject & { readonly spec: z.output<Spec>; readonly status: z.output<Status> }
    : never;

/** Keeps the schema types; adds nothing at run time. */
export function defineResource<Spec extends z.ZodType, Status extends z.ZodType>(
  definition: ResourceDefinition<Spec, Status>,
): ResourceDefinition<Spec, Status> {
  return definition;
}

/** `<namespace>/<name>`, or the bare name of a cluster-scoped object: the key of stores and queues. */
export function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
