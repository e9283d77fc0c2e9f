import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LocalCluster } from '../../cluster/cluster.ts';
import type { KubeObject } from '../../cluster/api.ts';
import { until } from '../../cluster/poll.ts';
import { applyCrds, cluster, freshNamespace } from '../../cluster/shared.ts';

interface Pod extends KubeObject {
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly message?: string }[];
  };
}

describe('the local cluster on loopback', () => {
  let shared: LocalCluster;
  let namespace: string;

  beforeAll(async () => {
    shared = await cluster();
    namespace = await freshNamespace(shared);
  });

  afterAll(() => shared.api.close());

  it('runs eight one-GPU pods on eight GPUs, and the ninth waits for want of a GPU', async () => {
    const node = `gpu-${namespace}`;
    await shared.addGpuNode({ name: node, gpus: 8, labels: { pool: namespace } });
    for (const index of Array(9).keys()) await createPod(`p${index}`);

    await until('eight pods to run', 20_000, async () => (await phases()).filter((p) => p === 'Running').length === 8);
    const pending = (await pods()).filter(({ status }) => status.phase === 'Pending');
    expect(pending.map(({ status }) => status.conditions?.[0]?.message)).toEqual([
      expect.stringContaining('Insufficient nvidia.com/gpu'),
    ]);
    await shared.api.call(`/api/v1/nodes/${node}`, { method: 'DELETE' });
  });

  it('tells from the audit log who wrote what', async () => {
    const account = { namespace, name: 'writer' };
    const token = await shared.kubeconfigFor(account);
    await shared.kubectl([
      'create',
      'rolebinding',
      'w',
      '-n',
      namespace,
      '--clusterrole=edit',
      `--serviceaccount=${namespace}:writer`,
    ]);
    await shared.kubectl(['--kubeconfig', token, '-n', namespace, 'create', 'configmap', 'written']);

    const events = await until('the write in the audit log', 5_000, async () => {
      const mine = (await shared.auditEvents()).filter((e) => e.objectRef?.name === 'written');
      return mine.length > 0 && mine;
    });
    expect(events).toMatchObject([
      {
        verb: 'create',
        user: { username: `system:serviceaccount:${namespace}:writer` },
        objectRef: { resource: 'configmaps', namespace, name: 'written' },
        responseStatus: { code: 201 },
      },
    ]);
  });

  it('refuses an owner reference that blocks the deletion of what its author may not finalize', async () => {
    const kubeconfig = await shared.kubeconfigFor({ namespace, name: 'owner' });
    await shared.kubectl([
      'create',
      'rolebinding',
      'o',
      '-n',
      namespace,
      '--clusterrole=edit',
      `--serviceaccount=${namespace}:owner`,
    ]);
    const { metadata } = await shared.api.call<KubeObject>(`/api/v1/namespaces/${namespace}`);
    const input = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'owned',
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'x', uid: metadata.uid, blockOwnerDeletion: true }],
      },
    });
    const refused = shared.kubectl(['--kubeconfig', kubeconfig, '-n', namespace, 'create', '-f', '-'], { input });
    await expect(refused).rejects.toThrow(/blockOwnerDeletion/);
  });

  it('serves our resources once their CRDs are applied, again and again', async () => {
    await applyCrds(shared);
    await applyCrds(shared);
    expect(await shared.kubectl(['api-resources', '--api-group=aiworkflow.dev', '-o', 'name'])).toMatch(
      /^aiworkflows/m,
    );
  });

  async function createPod(name: string): Promise<void> {
    const limits = { 'nvidia.com/gpu': '1' };
    const spec = {
      nodeSelector: { pool: namespace },
      containers: [{ name: 'c', image: 'none', resources: { limits } }],
    };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
    await shared.api.call(`/api/v1/namespaces/${namespace}/pods`, { method: 'POST', body });
  }

  async function pods(): Promise<readonly Pod[]> {
    return (await shared.api.call<{ readonly items: Pod[] }>(`/api/v1/namespaces/${namespace}/pods`)).items;
  }

  async function phases(): Promise<string[]> {
    return (await pods()).map(({ status }) => status.phase);
  }
});
