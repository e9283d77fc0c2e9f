import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { launch } from '../../cluster/launch.ts';
import { until } from '../../cluster/poll.ts';
import { freshTemporalNamespace } from '../../cluster/shared.ts';

describe('a local cluster whose servers are killed', () => {
  // Of its own: the shared one serves other test files at the same time.
  let injured: LocalCluster;

  beforeAll(async () => {
    injured = await launch();
  });

  afterAll(() => injured.remove());

  it('has its workflows again after a kill -9 of Temporal', async () => {
    const namespace = await freshTemporalNamespace(injured);
    const start = ['workflow', 'start', '--type', 'T', '--task-queue', 'q', '--workflow-id', 'w'];
    await injured.temporal([...start, '--namespace', namespace]);
    await injured.kill('temporal');
    expect(await injured.isRunning('temporal')).toBe(false);
    await injured.startAgain('temporal');

    const described = await injured.temporal(['workflow', 'describe', '-n', namespace, '-w', 'w', '-o', 'json']);
    expect(JSON.parse(described)).toMatchObject({
      workflowExecutionInfo: { status: 'WORKFLOW_EXECUTION_STATUS_RUNNING' },
    });
  });

  it.each(['apiserver', 'etcd'])('has its objects again after a kill -9 of %s', async (name) => {
    await createConfigMap(`before-${name}`);
    await injured.kill(name);
    await expect(createConfigMap(`without-${name}`)).rejects.toThrow();
    await injured.startAgain(name);

    const path = `/api/v1/namespaces/default/configmaps/before-${name}`;
    await until('the API server to answer again', 30_000, () => injured.api.call(path));
  });

  it('does not start a second process of a name that runs', async () => {
    await expect(injured.startAgain('scheduler')).rejects.toThrow('scheduler is still running');
  });

  function createConfigMap(name: string): Promise<string> {
    return injured.kubectl(['create', 'configmap', name, '--request-timeout=3s']);
  }
});
