import { ApiError } from './api.ts';
import type { Api, KubeObject } from './api.ts';
import type { Entries, PodSources } from './podrunner-env.ts';
import type { Pod } from './podrunner-types.ts';

interface Holder extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** What pods refer to, read from the API server each time. */
export function podSources(api: Api): PodSources {
  return {
    entries: async (kind, namespace, name) => {
      const holder = await readIfThere(api, `/api/v1/namespaces/${namespace}/${kind}/${name}`);
      return holder && { ...decoded(holder.data, kind === 'secrets'), ...decoded(holder.binaryData, true) };
    },
    token: (pod, audience, expirationSeconds) => tokenOf(api, pod, { audience, expirationSeconds }),
  };
}

async function readIfThere(api: Api, path: string): Promise<Holder | undefined> {
  return api.call<Holder>(path).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
}

function decoded(entries: Readonly<Record<string, string>> = {}, isBase64: boolean): Entries {
  const encoding = isBase64 ? 'base64' : 'utf8';
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value, encoding)]));
}

interface TokenWish {
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

async function tokenOf(api: Api, { metadata, spec }: Pod, wish: TokenWish): Promise<string> {
  const account = spec.serviceAccountName ?? 'default';
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid };
  const audiences = wish.audience === undefined ? undefined : [wish.audience];
  const request = { audiences, expirationSeconds: wish.expirationSeconds, boundObjectRef };
  const path = `/api/v1/namespaces/${metadata.namespace ?? ''}/serviceaccounts/${account}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: request };
  const answer = await api.call<{ readonly status: { readonly token: string } }>(path, { method: 'POST', body });
  return answer.status.token;
}
