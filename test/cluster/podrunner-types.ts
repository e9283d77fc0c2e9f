import type { KubeObject } from './api.ts';
import type { ContainerView } from './podrunner-status.ts';

/** A Pod as the API server sends it, as far as the pod runner reads it. */
export interface Pod extends KubeObject {
  readonly spec: PodSpec;
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly ContainerView[];
  };
}

/** What a pod is to be. */
export interface PodSpec {
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
}

/** One container of a pod. */
export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVariable[];
  readonly envFrom?: readonly EnvSource[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
}

/** A ConfigMap or Secret of the pod's namespace. */
export interface Reference {
  readonly name?: string;
  readonly optional?: boolean;
}

/** All entries of a ConfigMap or Secret as variables. */
export interface EnvSource {
  readonly prefix?: string;
  readonly secretRef?: Reference;
  readonly configMapRef?: Reference;
}

/** A variable with a value, or with the place where to read one. */
export interface EnvVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: FieldReference;
    readonly secretKeyRef?: Reference & { readonly key: string };
    readonly configMapKeyRef?: Reference & { readonly key: string };
  };
}

/** A field of the pod itself. */
export interface FieldReference {
  readonly fieldPath: string;
}

/** Files made of a Secret's or ConfigMap's keys. */
export interface KeyedFiles extends Reference {
  readonly items?: readonly { readonly key: string; readonly path: string }[];
}

/** Files made of the pod's fields. */
export interface FieldFiles {
  readonly items?: readonly { readonly path: string; readonly fieldRef?: FieldReference }[];
}

/** One source of the files in a volume. */
export interface VolumeSource {
  readonly secret?: KeyedFiles;
  readonly configMap?: KeyedFiles;
  readonly downwardAPI?: FieldFiles;
  readonly serviceAccountToken?: {
    readonly path: string;
    readonly audience?: string;
    readonly expirationSeconds?: number;
  };
}

/** A volume of a kind that the pod runner can make. */
export interface Volume {
  readonly name: string;
  readonly emptyDir?: object;
  readonly hostPath?: { readonly path: string };
  /** Its name stands in `secretName`, everywhere else in `name`. */
  readonly secret?: KeyedFiles & { readonly secretName?: string };
  readonly configMap?: KeyedFiles;
  readonly downwardAPI?: FieldFiles;
  readonly projected?: { readonly sources?: readonly VolumeSource[] };
}
