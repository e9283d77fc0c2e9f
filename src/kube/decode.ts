import { parseJson, stringifyJson, TooDeep } from '../api/json.ts';
import type { KubeObject } from '../api/resource.ts';
import { OperatorError } from '../errors.ts';
import type { ListPage, WatchEvent } from '../runtime/ports.ts';
import { sentence, watchError } from './errors.ts';
import type { Kind } from './kinds.ts';
import { lines } from './lines.ts';

/** What a body says; `what` completes "Could not …". A body that is no JSON is somebody's else than the API server's. */
export function decode(what: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    const words = 'the answer is not JSON';
    throw new OperatorError('KubernetesUnavailable', sentence(what, words), { retry: 'backoff', cause });
  }
}

/** A body to send. */
export function encode(what: string, value: unknown): string {
  try {
    return stringifyJson(value);
  } catch (cause) {
    if (!(cause instanceof TooDeep)) throw cause;
    throw new OperatorError('TooLarge', sentence(what, cause.message), { retry: 'never', cause });
  }
}

/** One object; lists leave `apiVersion` and `kind` out of those of built-in kinds. */
export function objectOf<T extends KubeObject>(kind: Kind<T>, raw: unknown): T {
  return kind.read({ apiVersion: kind.apiVersion, kind: kind.kind, ...(raw as KubeObject) });
}

interface RawList {
  readonly items?: readonly unknown[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

/** One page of a list. */
export function pageOf<T extends KubeObject>(kind: Kind<T>, raw: unknown): ListPage<T> {
  const { items, metadata } = raw as RawList;
  return {
    items: (items ?? []).map((item) => objectOf(kind, item)),
    resourceVersion: metadata.resourceVersion,
    ...(metadata.continue && { continue: metadata.continue }),
  };
}

interface RawEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

/** The events of a watch's body. An ERROR is thrown: as Expired for 410. */
export async function* eventsOf<T extends KubeObject>(
  kind: Kind<T>,
  what: string,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  for await (const line of lines(body)) {
    const { type, object } = decode(what, line) as RawEvent;
    if (type === 'ERROR') throw watchError(what, object);
    if (type === 'BOOKMARK') yield { type, resourceVersion: object.metadata.resourceVersion };
    else yield { type, object: objectOf(kind, object) };
  }
}
