import type { KubeClient } from './client.ts';
import { Credentials } from './credentials.ts';
import { HttpClient } from './http.ts';
import { loadKubeConfig } from './kubeconfig.ts';
import { Transport, type OnCall } from './transport.ts';

/** A client with the credentials of `loadKubeConfig(kubeconfig)`. Connects with the first call. */
export function connectKube(options: { readonly kubeconfig?: string; readonly onCall?: OnCall } = {}): KubeClient {
  return new HttpClient(new Transport(new Credentials(() => loadKubeConfig(options.kubeconfig)), options.onCall));
}
