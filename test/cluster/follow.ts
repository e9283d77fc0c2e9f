import { setTimeout as delay } from 'node:timers/promises';
import type { Api, KubeObject } from './api.ts';

/** What is done with the objects of a collection. */
export interface Follower<Kind extends KubeObject> {
  /** Every object there is; called at first and whenever events may have been missed. */
  replace(objects: readonly Kind[]): void;
  /** An object was added or changed. */
  see(object: Kind): void;
  /** An object is gone. */
  lose(object: Kind): void;
}

const retryMs = 300;

/** Lists a collection and watches it, for ever, through any loss of the API server. */
export async function follow<Kind extends KubeObject>(
  api: Api,
  path: string,
  follower: Follower<Kind>,
): Promise<never> {
  for (;;) {
    try {
      await followOnce(api, path, follower);
    } catch (error) {
      console.log(`watching ${path} again in ${retryMs} ms: ${String(error)}`);
      await delay(retryMs);
    }
  }
}

interface Listing<Kind> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Kind[];
}

async function followOnce<Kind extends KubeObject>(api: Api, path: string, follower: Follower<Kind>): Promise<void> {
  const { metadata, items } = await api.call<Listing<Kind>>(path);
  follower.replace(items);
  const query = `?watch=true&timeoutSeconds=300&resourceVersion=${metadata.resourceVersion}`;
  for await (const { type, object } of api.watch<Kind>(`${path}${query}`, new AbortController().signal)) {
    // Most often 410: our version is forgotten, so the list must be read again.
    if (type === 'ERROR') return;
    if (type === 'DELETED') follower.lose(object);
    if (type === 'ADDED' || type === 'MODIFIED') follower.see(object);
  }
}
