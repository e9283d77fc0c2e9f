import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { attach } from '../cluster/cluster.ts';
import { cgroupName } from '../cluster/cgroups.ts';
import { run } from '../cluster/command.ts';
import { pauseTag } from '../cluster/images-pause.ts';
import { repository, stateRoot } from '../cluster/places.ts';
import { until } from '../cluster/poll.ts';
import { markedProcesses, runningProcess } from '../cluster/processes.ts';
import { folderOf, readState } from '../cluster/state.ts';
import { removeCluster } from '../cluster/teardown.ts';

const goneMs = 40_000;

// Beside the cluster that the other files share: what is of that one must stay.
describe('a cluster with a real node whose launcher is killed', () => {
  let instance: string;
  let owner: ChildProcess;

  afterEach(async () => {
    owner.kill('SIGKILL');
    await removeCluster(instance);
  });

  it('takes its pods, mounts, control groups and network with it', async () => {
    startOwner();
    await until('the cluster to be up', 90_000, async () => (await readState(instance))?.ready === true);
    const cluster = await attach(instance);
    await cluster.kubectl(['run', 'idle', `--image=${pauseTag}`, '--image-pull-policy=Never']);
    await cluster.kubectl(['wait', 'pod/idle', '--for=condition=Ready', '--timeout=60s']);
    cluster.api.close();
    const kinds = new Set((await traces()).map((trace) => trace.split(' ')[0]));
    expect([...kinds].sort()).toEqual(['cgroup', 'file', 'mount', 'network', 'process']);
    owner.kill('SIGKILL');
    await expectNoTraces();
  });

  it('leaves nothing either, when it was only half-way up', async () => {
    startOwner();
    await until('containerd to run', 90_000, () => runningProcess(folderOf(instance), 'containerd'));
    owner.kill('SIGKILL');
    await expectNoTraces();
  });

  function startOwner(): void {
    instance = `end-${randomBytes(3).toString('hex')}`;
    owner = spawn(process.execPath, [join(repository, 'test/integration/cluster/owner.ts'), 'node', instance], {
      stdio: 'ignore',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
  }

  async function expectNoTraces(): Promise<void> {
    await until('nothing to be left', goneMs, async () => (await traces()).length === 0).catch(() => undefined);
    expect(await traces()).toEqual([]);
  }

  async function traces(): Promise<string[]> {
    const folder = folderOf(instance);
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
    const networks = (await run('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0]);
    const groups = await run('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-name', cgroupName(instance)]);
    return [
      ...(await markedProcesses(folder)).map((pid) => `process ${pid}`),
      ...mounts.filter((path) => path.startsWith(`${folder}/`)).map((path) => `mount ${path}`),
      ...networks.filter((name) => name === `aiworkflow-${instance}`).map((name) => `network ${name}`),
      ...groups
        .split('\n')
        .filter(Boolean)
        .map((path) => `cgroup ${path}`),
      ...(await readdir(stateRoot())).filter((file) => file.startsWith(instance)).map((file) => `file ${file}`),
    ];
  }
});
