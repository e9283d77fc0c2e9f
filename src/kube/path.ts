import type { KubeObject } from '../api/resource.ts';
import type { Kind } from './kinds.ts';

/** Which object; an object's own metadata will do. */
export interface ObjectName {
  readonly name: string;
  /** Ignored for cluster-scoped kinds. */
  readonly namespace?: string | undefined;
}

/** Which objects of a kind; all of them unless narrowed. */
export interface Selection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** Every kind knows `metadata.name=` and `metadata.namespace=`. */
  readonly fieldSelector?: string | undefined;
}

/** The path of a collection, with the parameters that are not undefined. */
export function collectionPath(
  kind: Kind<KubeObject>,
  namespace: string | undefined,
  query: Readonly<Record<string, string | number | boolean | undefined>> = {},
): string {
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${kind.plural}${queryString(query)}`;
}

/** The path of one object, or of its subresource. */
export function objectPath(kind: Kind<KubeObject>, { namespace, name }: ObjectName, subresource?: string): string {
  const path = `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** `?a=b&c=d` of what is defined; nothing when nothing is. */
export function queryString(query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(key, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
