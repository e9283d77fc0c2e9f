import type { Api, KubeObject } from '../cluster/api.ts';

interface ResourceList {
  readonly groupVersion: string;
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

// Events come and go by themselves; the CRDs stay on purpose, and with them the API services that they make.
const aside = /^(v1 events|events\.k8s\.io\/v1 events|apiextensions\.k8s\.io\/v1 customresourcedefinitions)$/;
const madeByCrds = /apiservices \/v\w+\.aiworkflow\.dev$/;

/** Every object of every kind that can be listed, in all namespaces, as "group/version plural namespace/name", sorted. */
export async function inventory(api: Api): Promise<string[]> {
  const lists = await Promise.all((await groupVersions(api)).map((path) => api.call<ResourceList>(path)));
  const objects = lists.flatMap(({ groupVersion, resources }) =>
    resources
      .filter(({ name, verbs }) => verbs.includes('list') && !aside.test(`${groupVersion} ${name}`))
      .map(({ name }) => objectsOf(api, groupVersion, name)),
  );
  return (await Promise.all(objects))
    .flat()
    .filter((line) => !madeByCrds.test(line))
    .sort();
}

async function groupVersions(api: Api): Promise<string[]> {
  const { groups } = await api.call<{
    readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
  }>('/apis');
  return ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
}

async function objectsOf(api: Api, groupVersion: string, plural: string): Promise<string[]> {
  const root = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
  const { items } = await api.call<{ readonly items: readonly KubeObject[] }>(`${root}/${plural}`);
  return items.map(({ metadata: { namespace = '', name } }) => `${groupVersion} ${plural} ${namespace}/${name}`);
}
