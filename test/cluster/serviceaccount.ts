import { ApiError } from './api.ts';
import type { Api } from './api.ts';
import { writeKubeconfig } from './kubeconfig.ts';

/** A ServiceAccount by name. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

/** A token for that ServiceAccount, made by the API server; it ends after the given time, ten minutes at least. */
export async function tokenFor(
  api: Api,
  { namespace, name }: ServiceAccountName,
  expirationSeconds = 24 * 3_600,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds } };
  const answer = await api.call<{ readonly status: { readonly token: string } }>(path, { method: 'POST', body });
  return answer.status.token;
}

/** A kubeconfig that speaks for that ServiceAccount, which is made if it does not exist. Returns its file. */
export async function kubeconfigFor(
  { api, folder, server }: { readonly api: Api; readonly folder: string; readonly server: string },
  account: ServiceAccountName,
): Promise<string> {
  await ensureServiceAccount(api, account);
  const token = await tokenFor(api, account);
  const { namespace, name } = account;
  return writeKubeconfig(folder, `${namespace}.${name}`, { server, namespace, credentials: { token } });
}

async function ensureServiceAccount(api: Api, { namespace, name }: ServiceAccountName): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } };
  await api
    .call(`/api/v1/namespaces/${namespace}/serviceaccounts`, { method: 'POST', body })
    .catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    });
}
