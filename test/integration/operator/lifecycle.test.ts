import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Lease } from '../../../src/kube/types.ts';
import { until } from '../../cluster/poll.ts';
import { startOperator, type OperatorProcess } from './process.ts';
import { openScene, type Scene } from './scene.ts';

jest.setTimeout(180_000);
let scene: Scene;

beforeAll(async () => {
  scene = await openScene('lifecycle');
}, 180_000);
afterAll(() => scene.close());

const holder = async (): Promise<string> => {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${scene.runs.namespace}/leases/aiworkflow`;
  return (await scene.shared.api.call<Lease>(path)).spec?.holderIdentity ?? '';
};
const leads = async (operator: OperatorProcess) => (await operator.metric('aiworkflow_leader')) === 1;
const another = (replica: string) => startOperator(scene.shared, scene.runs.namespace, { replica });

describe('an operator that is told to end', () => {
  it('hands over to the one that stands by within two seconds, and is gone in five, with exit code 0', async () => {
    const standby = await another('b');
    expect(await standby.health('/readyz')).toEqual({ status: 200, text: 'ok\n' });
    expect([await leads(scene.operator), await leads(standby)]).toEqual([true, false]);
    const names = Array.from({ length: 12 }, (_, index) => `handed-${index}`);
    const applied = (async () => {
      for (const name of names) await scene.runs.apply(name, { type: 'ContinueAsNewWorkflow', args: [2] });
    })();
    await until('some runs to be started', 30_000, async () => {
      return (await scene.runs.list()).filter(({ status }) => status?.temporal?.runID).length >= 3;
    });
    const startedAt = performance.now();
    const ending = scene.operator.kill('SIGTERM').then(() => performance.now() - startedAt);
    await until('the other to lead', 10_000, () => leads(standby));
    const handOverMs = performance.now() - startedAt;
    const endMs = await ending;
    expect([scene.operator.exitCode(), await holder()]).toEqual([
      0,
      expect.stringContaining(`uid-of-${scene.runs.namespace}b`),
    ]);
    expect(handOverMs).toBeLessThan(2_000);
    expect(endMs).toBeLessThan(5_000);
    scene.operator = standby;
    await applied;
    for (const name of names) await scene.runs.untilFinished(name, 'Succeeded', 60_000);
    for (const name of names) {
      const { status } = await scene.runs.get(name);
      expect(await scene.chains.of(scene.runs.workflowID(name))).toEqual([status.temporal?.firstRunID]);
    }
  });

  it('ends at once and cleanly also while it only stands by', async () => {
    const standby = await another('c');
    const before = await holder();
    const startedAt = performance.now();
    await standby.kill('SIGTERM');
    expect([standby.exitCode(), await holder()]).toEqual([0, before]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('ends cleanly also while it waits for an API server that does not answer, and is not ready until it does', async () => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await until('it to listen', 5_000, () => mute.listening);
    const server = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const operator = await startOperator(scene.shared, scene.runs.namespace, {
      ...{ replica: 'd', isExpectedReady: false },
      through: async (kubeconfig) => {
        const file = `${kubeconfig}.mute`;
        const context = { name: 'x', context: { cluster: 'x', user: 'x' } };
        const config = { clusters: [{ name: 'x', cluster: { server } }], users: [{ name: 'x', user: { token: 'x' } }] };
        await writeFile(file, JSON.stringify({ ...config, contexts: [context], 'current-context': 'x' }));
        return file;
      },
    });
    const page = await until('its health page', 30_000, () => operator.health('/readyz'));
    expect(page).toEqual({
      status: 503,
      text: 'caches: not all caches are filled yet\nleader election: neither leading nor standing by yet\n',
    });
    expect((await operator.health('/healthz')).status).toBe(200);
    const startedAt = performance.now();
    await operator.kill('SIGTERM');
    expect(operator.exitCode()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    mute.close();
  });

  it('leaves no Lease behind that anybody would have to wait for', async () => {
    await scene.operator.kill('SIGTERM');
    expect([scene.operator.exitCode(), await holder()]).toEqual([0, '']);
    const startedAt = performance.now();
    scene.operator = await another('e');
    await until('it to lead', 10_000, () => leads(scene.operator));
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it('that is killed instead takes its own Lease back as soon as it is started again', async () => {
    await scene.operator.kill('SIGKILL');
    const startedAt = performance.now();
    scene.operator = await another('e');
    await until('it to lead', 10_000, () => leads(scene.operator));
    // Another would have to wait for the fifteen seconds of the Lease.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});
