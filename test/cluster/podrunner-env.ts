import { ConfigError, expanded } from './podrunner-pod.ts';
import type { Container, EnvSource, EnvVariable, FieldReference, Pod, Reference } from './podrunner-types.ts';

/** Reads what pods refer to; undefined when there is no such object. */
export interface PodSources {
  /** The entries of a ConfigMap, or of a Secret decoded. */
  entries(kind: HolderKind, namespace: string, name: string): Promise<Entries | undefined>;
  /** A token of the pod's ServiceAccount, bound to the pod. */
  token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string>;
}

/** What holds entries. */
export type HolderKind = 'configmaps' | 'secrets';

/** Contents by key. */
export type Entries = Readonly<Record<string, Buffer>>;

/** The environment of a container as a kubelet builds it: `envFrom` first, then `env` in its order, `$(NAME)` expanded. */
export async function containerEnv(
  pod: Pod,
  container: Container,
  sources: PodSources,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const from of container.envFrom ?? []) Object.assign(variables, await allOf(pod, from, sources));
  for (const variable of container.env ?? []) {
    const value = await valueOf(pod, variable, sources);
    if (value !== undefined) variables[variable.name] = expanded(value, variables);
  }
  return variables;
}

async function allOf(
  pod: Pod,
  { prefix = '', secretRef, configMapRef = {} }: EnvSource,
  sources: PodSources,
): Promise<Record<string, string>> {
  const kind = secretRef === undefined ? 'configmaps' : 'secrets';
  const entries = (await entriesOf(pod, kind, secretRef ?? configMapRef, sources)) ?? {};
  const pairs = Object.entries(entries).map(([key, value]) => [`${prefix}${key}`, value.toString('utf8')] as const);
  return Object.fromEntries(pairs);
}

async function valueOf(
  pod: Pod,
  { name, value = '', valueFrom }: EnvVariable,
  sources: PodSources,
): Promise<string | undefined> {
  if (valueFrom === undefined) return value;
  const { fieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  if (fieldRef !== undefined) return fieldOf(pod, fieldRef);
  if (secretKeyRef !== undefined) return entryOf(pod, 'secrets', secretKeyRef, sources);
  if (configMapKeyRef !== undefined) return entryOf(pod, 'configmaps', configMapKeyRef, sources);
  throw new ConfigError(`The pod runner fills variables from fields, Secrets and ConfigMaps only: not ${name}`);
}

async function entryOf(
  pod: Pod,
  kind: HolderKind,
  reference: Reference & { readonly key: string },
  sources: PodSources,
): Promise<string | undefined> {
  const entry = (await entriesOf(pod, kind, reference, sources))?.[reference.key];
  if (entry !== undefined || reference.optional === true) return entry?.toString('utf8');
  throw new ConfigError(`couldn't find key ${reference.key} in ${kind} ${reference.name ?? ''}`);
}

/** The entries of what a pod refers to; undefined only where the reference is optional. */
export async function entriesOf(
  pod: Pod,
  kind: HolderKind,
  { name = '', optional = false }: Reference,
  sources: PodSources,
): Promise<Entries | undefined> {
  const entries = await sources.entries(kind, pod.metadata.namespace ?? '', name);
  if (entries === undefined && !optional) throw new ConfigError(`${kind} "${name}" not found`);
  return entries;
}

/** A field of the pod, as the downward API gives it. */
export function fieldOf(pod: Pod, { fieldPath }: FieldReference): string {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath) ?? [];
  if (key !== undefined) return pod.metadata[map === 'labels' ? 'labels' : 'annotations']?.[key] ?? '';
  const value = plainFields[fieldPath]?.(pod);
  if (value === undefined) throw new ConfigError(`The pod has no field ${fieldPath}`);
  return value;
}

const plainFields: Readonly<Record<string, (pod: Pod) => string | undefined>> = {
  'metadata.name': (pod) => pod.metadata.name,
  'metadata.namespace': (pod) => pod.metadata.namespace,
  'metadata.uid': (pod) => pod.metadata.uid,
  'metadata.labels': (pod) => listed(pod.metadata.labels),
  'metadata.annotations': (pod) => listed(pod.metadata.annotations),
  'spec.nodeName': (pod) => pod.spec.nodeName,
  'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName,
  'status.podIP': (pod) => pod.status?.podIP,
  'status.podIPs': (pod) => pod.status?.podIP,
  'status.hostIP': () => '127.0.0.1',
};

function listed(map: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(map).map(([key, value]) => `${key}=${JSON.stringify(value)}\n`);
  return lines.join('');
}
