import { OperatorError } from '../errors.ts';
import type { ReadConfigMap } from '../controllers/aiworkflow/args.ts';
import type { ReadNamespace, ReadRun } from '../controllers/aiworkflow/world.ts';
import type { KubeClient } from '../kube/client.ts';
import { configMaps, namespaces } from '../kube/kinds.ts';
import type { Namespace } from '../kube/types.ts';
import type { ReadStore } from '../runtime/store.ts';
import { aiworkflowKind } from './caches.ts';

/** Reads a namespace from the cache, else from the server; one that may not be read is nothing special. */
export function namespaceReader(kube: Pick<KubeClient, 'find'>, cache: ReadStore<Namespace>): ReadNamespace {
  return async (name, signal) => {
    const found = cache.get(name) ?? (await kube.find(namespaces, { name }, { signal }).catch(unlessForbidden));
    const isTerminating = found?.metadata.deletionTimestamp !== undefined;
    return { labels: found?.metadata.labels ?? {}, isTerminating };
  };
}

/** Reads the text values of a ConfigMap. */
export function configMapReader(kube: Pick<KubeClient, 'find'>): ReadConfigMap {
  return async (namespace, name, signal) => {
    const found = await kube.find(configMaps, { namespace, name }, { signal });
    return found && (found.data ?? {});
  };
}

/** Reads a run again; one that is another by now, or gone, is looked at anew. */
export function runReader(kube: Pick<KubeClient, 'find'>): ReadRun {
  return async ({ metadata }, signal) => {
    const found = await kube.find(aiworkflowKind, metadata, { signal });
    if (found?.metadata.uid === metadata.uid) return found;
    throw new OperatorError('Conflict', `AIWorkflow ${metadata.name} went away while it was read`, {
      retry: 'conflict',
    });
  };
}

function unlessForbidden(thrown: unknown): undefined {
  if (thrown instanceof OperatorError && thrown.reason === 'KubernetesForbidden') return undefined;
  throw thrown;
}
