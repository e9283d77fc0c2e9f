import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { launch } from '../../cluster/launch.ts';
import type { ContainerView } from '../../cluster/podrunner-status.ts';
import type { Pod, PodSpec } from '../../cluster/podrunner-types.ts';
import { processesWith } from '../../cluster/processes.ts';
import { until } from '../../cluster/poll.ts';
import { freshNamespace } from '../../cluster/shared.ts';

const image = 'localhost/test/script:1';

describe('the pod runner', () => {
  // A cluster of its own: the runner is killed here.
  let cluster: LocalCluster;
  let namespace: string;

  beforeAll(async () => {
    cluster = await launch();
    await cluster.addGpuNode({ name: 'gpu-0', gpus: 8 });
    await cluster.runPods({ images: { [image]: { entrypoint: [process.execPath, '-e'] } }, backoffMs: 200 });
    namespace = await freshNamespace(cluster);
  });

  afterAll(() => cluster.remove());

  it('runs a pod as a process with its environment, host name and files', async () => {
    await cluster.kubectl(['-n', namespace, 'create', 'secret', 'generic', 'keys', '--from-literal=api=s3cret']);
    await cluster.kubectl(['-n', namespace, 'create', 'configmap', 'settings', '--from-literal=model.json={"a":1}']);
    const script = `
      const os = require('node:os'), fs = require('node:fs');
      const { NAME, SECRET, GREETING, CONFIG, HOSTNAME } = process.env;
      console.log(JSON.stringify({ host: os.hostname(), NAME, SECRET, GREETING, HOSTNAME,
        model: fs.readFileSync(CONFIG, 'utf8'), arg: fs.readFileSync(process.argv[1], 'utf8') }));
      setInterval(() => {}, 1000);`;
    await createPod('worker', {
      volumes: [
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'keys', secret: { secretName: 'keys' } },
      ],
      containers: [
        {
          name: 'main',
          image,
          args: [script, '/etc/keys/api'],
          env: [
            { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'keys', key: 'api' } } },
            { name: 'GREETING', value: 'hello $(NAME), $(NOBODY), $$(NAME)' },
            { name: 'CONFIG', value: '/etc/settings/model.json' },
          ],
          volumeMounts: [
            { name: 'settings', mountPath: '/etc/settings' },
            { name: 'keys', mountPath: '/etc/keys' },
          ],
        },
      ],
    });
    await untilPod('worker', ({ status }) => status?.phase === 'Running');
    const printed = await until('its output', 5_000, async () => (await logs('worker')).trim() || undefined);
    expect(JSON.parse(printed)).toEqual({
      host: process.getuid?.() === 0 ? 'worker' : expect.any(String),
      NAME: 'worker',
      HOSTNAME: 'worker',
      SECRET: 's3cret',
      GREETING: 'hello worker, $(NOBODY), $(NAME)',
      model: '{"a":1}',
      arg: 's3cret',
    });
    expect(hostname()).not.toBe('worker');
  });

  it('lets a pod finish within its grace before its object goes', async () => {
    const script = `process.on('SIGTERM', () => { console.log('draining'); setTimeout(() => { console.log('done'); process.exit(0) }, 700) });
      setInterval(() => {}, 1000); console.log('ready')`;
    await createPod('graceful', { containers: [{ name: 'main', image, args: [script] }] });
    await until('the handler to be there', 10_000, async () => (await logs('graceful')).includes('ready'));
    await cluster.kubectl(['-n', namespace, 'delete', 'pod', 'graceful', '--wait=false']);
    await until('SIGTERM to arrive', 5_000, async () => (await logs('graceful')).includes('draining'));
    expect((await readPod('graceful')).metadata.deletionTimestamp).toBeDefined();

    await untilGone('graceful');
    expect(await logs('graceful')).toBe('ready\ndraining\ndone\n');
  });

  it('kills what does not end within its grace', async () => {
    const script = `process.on('SIGTERM', () => console.log('no')); setInterval(() => {}, 1000); console.log('ready')`;
    const spec = { containers: [{ name: 'main', image, args: [script] }], terminationGracePeriodSeconds: 1 };
    await createPod('stubborn', spec);
    await until('the handler to be there', 10_000, async () => (await logs('stubborn')).includes('ready'));
    const before = Date.now();
    await cluster.kubectl(['-n', namespace, 'delete', 'pod', 'stubborn', '--wait=false']);
    await untilGone('stubborn');
    expect(Date.now() - before).toBeGreaterThanOrEqual(1_000);
    expect(await logs('stubborn')).toBe('ready\nno\n');
  });

  it('starts a container again when it ends, and says how it ended', async () => {
    await createPod('crashing', { containers: [{ name: 'main', image, args: ['process.exit(3)'] }] });
    const pod = await untilPod('crashing', (seen) => (containerOf(seen)?.restartCount ?? 0) >= 2);
    expect(containerOf(pod)?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' });
  });

  it('tells the signal that ended a container', async () => {
    const script = `process.kill(process.pid, 'SIGKILL')`;
    await createPod('shot', { restartPolicy: 'Never', containers: [{ name: 'main', image, args: [script] }] });
    const pod = await untilPod('shot', ({ status }) => status?.phase === 'Failed');
    expect(containerOf(pod)?.state).toMatchObject({ terminated: { exitCode: 137, signal: 9, reason: 'Error' } });
  });

  it('completes a Job', async () => {
    const containers = [{ name: 'main', image, args: ['0'] }];
    const template = { metadata: { annotations }, spec: { restartPolicy: 'Never', containers } };
    const input = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once' }, spec: { template } };
    await cluster.kubectl(['-n', namespace, 'create', '-f', '-'], { input: JSON.stringify(input) });
    await cluster.kubectl(['-n', namespace, 'wait', 'job/once', '--for=condition=Complete', '--timeout=20s']);
  });

  it.each([
    ['an image it was not told of', { image: 'localhost/stranger:1' }, 'told of no image localhost/stranger:1'],
    ['a Secret that is not there', { image, envFrom: [{ secretRef: { name: 'none' } }] }, 'secrets "none" not found'],
  ])('waits, and says why, for %s', async (what, container, message) => {
    const name = `waiting-${what.length}`;
    await createPod(name, { containers: [{ name: 'main', ...container }] });
    const pod = await untilPod(name, (seen) => waitingOf(seen)?.reason === 'CreateContainerConfigError');
    expect(waitingOf(pod)?.message).toContain(message);
    expect(pod.status?.phase).toBe('Pending');
  });

  it('ends the processes of a machine that is lost', async () => {
    await cluster.addGpuNode({ name: 'spot', gpus: 1 });
    const spec = { nodeName: 'spot', containers: [{ name: 'main', image, args: ['setInterval(() => {}, 1000)'] }] };
    await createPod('on-spot', spec);
    await untilPod('on-spot', ({ status }) => status?.phase === 'Running');
    expect(await processesOf('on-spot')).toHaveLength(1);
    await cluster.api.call('/api/v1/nodes/spot', { method: 'DELETE' });
    await until('its process to be gone', 10_000, async () => (await processesOf('on-spot')).length === 0);
  });

  it('starts pods again after it was killed itself, leaving no process behind', async () => {
    await createPod('survivor', { containers: [{ name: 'main', image, args: ['setInterval(() => {}, 1000)'] }] });
    await untilPod('survivor', ({ status }) => status?.phase === 'Running');
    const [before] = await processesOf('survivor');
    await cluster.kill('podrunner');
    await cluster.startAgain('podrunner');
    await untilPod('survivor', (seen) => containerOf(seen)?.restartCount === 1);
    const after = await processesOf('survivor');
    expect(after).toHaveLength(1);
    expect(after[0]).not.toBe(before);
  });

  const annotations = { 'test.aiworkflow.dev/run': 'process' };

  async function createPod(name: string, spec: PodSpec & { readonly terminationGracePeriodSeconds?: number }) {
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations }, spec };
    await cluster.api.call(`/api/v1/namespaces/${namespace}/pods`, { method: 'POST', body });
  }

  function readPod(name: string): Promise<Pod> {
    return cluster.api.call<Pod>(`/api/v1/namespaces/${namespace}/pods/${name}`);
  }

  function untilPod(name: string, holds: (pod: Pod) => boolean): Promise<Pod> {
    return until(`pod ${name} to be as expected`, 20_000, async () => {
      const pod = await readPod(name);
      return holds(pod) && pod;
    });
  }

  async function untilGone(name: string): Promise<void> {
    await until(`pod ${name} to be gone`, 20_000, () =>
      readPod(name).then(
        () => false,
        () => true,
      ),
    );
  }

  function containerOf({ status }: Pod): ContainerView | undefined {
    return status?.containerStatuses?.[0];
  }

  function waitingOf(pod: Pod): { readonly reason: string; readonly message?: string } | undefined {
    const state = containerOf(pod)?.state;
    return state !== undefined && 'waiting' in state ? state.waiting : undefined;
  }

  function logs(name: string): Promise<string> {
    return cluster.podLogs({ namespace, name });
  }

  function processesOf(name: string): Promise<number[]> {
    return processesWith('HOSTNAME', name);
  }
});
