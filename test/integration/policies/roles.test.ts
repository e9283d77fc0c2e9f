import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { until } from '../../cluster/poll.ts';
import { cluster } from '../../cluster/shared.ts';
import { applyPolicies, review } from './tenants.ts';

let shared: LocalCluster;
const prefix = `roles-${randomBytes(4).toString('hex')}`;

beforeAll(async () => {
  shared = await cluster();
  await applyPolicies(shared);
});

afterAll(() => shared.api.close());

it.each([
  ['view', 'list', 'aiworkflows', true],
  ['view', 'get', 'temporalconnections', true],
  ['view', 'create', 'aiworkflows', false],
  ['edit', 'create', 'aiworkflows', true],
  ['edit', 'delete', 'workers', true],
  ['edit', 'patch', 'temporalconnections', true],
  ['edit', 'patch', 'aiworkflows/status', false],
  ['admin', 'create', 'workers', true],
  ['admin', 'create', 'clustertemporalconnections', true],
])('the built-in role %s may %s %s: %s', async (role, verb, plural, expected) => {
  const user = `${prefix}-${role}`;
  const [resource, subresource] = plural.split('/');
  await shared.api.call('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    method: 'POST',
    body: {
      metadata: { name: `${user}-${verb}-${plural.replace('/', '-')}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  });
  const mayDo = (what: object) => review(shared.api, user, { group: 'aiworkflow.dev', ...what });
  // Once the aggregated rule is there, what is missing is missing for good.
  await until(`${role} to see runs`, 30_000, () => mayDo({ verb: 'list', resource: 'aiworkflows' }));
  await expect(mayDo({ verb, resource, subresource })).resolves.toBe(expected);
});
