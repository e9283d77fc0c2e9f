import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { connectApi } from '../../cluster/api.ts';
import type { Api } from '../../cluster/api.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { run } from '../../cluster/command.ts';
import { repository } from '../../cluster/places.ts';
import { until } from '../../cluster/poll.ts';
import { kubectlAndHelm } from '../../cluster/programs-kubectl.ts';

/** A right, as `verb resource`, `verb resource/name`, or `verb resource@namespace` for elsewhere. */
export type Grant = string;

/** Where the chart's policies look for the Secrets of ClusterTemporalConnections. */
export const operatorNamespace = 'aiworkflow-system';

/**
 * Applies the chart of policies and roles. Not by `helm install`: other tests
 * of this cluster have applied the CRDs already.
 */
export async function applyPolicies(shared: LocalCluster): Promise<void> {
  const { helm } = await kubectlAndHelm();
  const input = await run(helm, ['template', 'crds', join(repository, 'charts/aiworkflow-crds')]);
  const namespace = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: operatorNamespace } });
  const apply = ['apply', '--server-side', '--force-conflicts', '--filename', '-'];
  await shared.kubectl(apply, { input: namespace });
  await shared.kubectl(apply, { input });
}

/** Somebody who may do anything with our kinds in that namespace, and besides only what is granted. */
export async function tenant(shared: LocalCluster, namespace: string, grants: readonly Grant[]): Promise<Api> {
  const name = `tenant-${randomBytes(4).toString('hex')}`;
  const kubeconfig = await shared.kubeconfigFor({ namespace, name });
  await bind(shared, { namespace, name }, '', ['* clustertemporalconnections.aiworkflow.dev']);
  const local = grants.filter((grant) => !grant.includes('@'));
  await bind(shared, { namespace, name }, namespace, ['* *.aiworkflow.dev', ...local]);
  for (const grant of grants.filter((each) => each.includes('@'))) {
    const [right = '', elsewhere = ''] = grant.split('@');
    await bind(shared, { namespace, name }, elsewhere, [right]);
  }
  return connectApi(kubeconfig);
}

interface Account {
  readonly namespace: string;
  readonly name: string;
}

async function bind({ api }: LocalCluster, account: Account, at: string, grants: readonly Grant[]): Promise<void> {
  const kind = at === '' ? 'ClusterRole' : 'Role';
  const metadata = { name: `${account.name}-${randomBytes(2).toString('hex')}` };
  const base = `/apis/rbac.authorization.k8s.io/v1${at === '' ? '' : `/namespaces/${at}`}`;
  const rules = grants.map(ruleOf);
  await api.call(`${base}/${kind.toLowerCase()}s`, { method: 'POST', body: { metadata, rules } });
  await api.call(`${base}/${kind.toLowerCase()}bindings`, {
    method: 'POST',
    body: {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    },
  });
  // The API server learns of roles by a watch of its own.
  await until(`the rights of ${metadata.name}`, 30_000, () => isAllowed(api, account, at, rules[0]!));
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const groups: Readonly<Record<string, string>> = { deployments: 'apps' };

function ruleOf(grant: Grant): Rule {
  const [verb = '', what = ''] = grant.split(' ');
  const [qualified = '', name] = what.split('/');
  const [resource = '', ...group] = qualified.split('.');
  const apiGroups = [group.length > 0 ? group.join('.') : (groups[resource] ?? '')];
  return { apiGroups, resources: [resource], verbs: [verb], ...(name !== undefined && { resourceNames: [name] }) };
}

/** Whether the API server lets that ServiceAccount do what the rule says. */
async function isAllowed(api: Api, account: Account, namespace: string, rule: Rule): Promise<boolean> {
  const [group, resource, name, verb] = [rule.apiGroups, rule.resources, rule.resourceNames ?? [], rule.verbs].map(
    ([first]) => first,
  );
  const user = `system:serviceaccount:${account.namespace}:${account.name}`;
  return review(api, user, { namespace, group, resource, name, verb });
}

/** Asks the API server whether a user may do something. */
export async function review(api: Api, user: string, resourceAttributes: object): Promise<boolean> {
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const answer = await api.call<{ readonly status: { readonly allowed: boolean } }>(path, {
    method: 'POST',
    body: { spec: { user, resourceAttributes } },
  });
  return answer.status.allowed;
}
