import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { launch } from '../../cluster/launch.ts';
import { stateRoot } from '../../cluster/places.ts';
import { until } from '../../cluster/poll.ts';
import { markedProcesses, processesWith, runningProcess } from '../../cluster/processes.ts';
import { folderOf, instances } from '../../cluster/state.ts';
import { sweep } from '../../cluster/sweep.ts';
import { guardianMarker, removeCluster } from '../../cluster/teardown.ts';

const goneMs = 20_000;

describe('the end of a local cluster', () => {
  let instance: string;
  let owner: ChildProcess | undefined;

  afterEach(async () => {
    owner?.kill('SIGKILL');
    await removeCluster(instance);
  });

  it('leaves neither process nor file', async () => {
    const cluster = await launch({ instance: named() });
    await cluster.runPods({});
    expect(await markedProcesses(cluster.folder)).not.toEqual([]);
    await cluster.remove();
    expect(await traces()).toEqual([]);
  });

  it('comes by itself when its owner is killed', async () => {
    await startOwner('up');
    owner?.kill('SIGKILL');
    await until('nothing to be left', goneMs, async () => (await traces()).length === 0);
  });

  it('comes by itself when its owner is killed while starting it', async () => {
    await startOwner();
    await until('etcd to run', 60_000, () => runningProcess(folderOf(instance), 'etcd'));
    owner?.kill('SIGKILL');
    await until('nothing to be left', goneMs, async () => (await traces()).length === 0);
  });

  it('comes with the next start when its guardian was killed as well', async () => {
    await startOwner('up');
    for (const pid of await guardians()) process.kill(pid, 'SIGKILL');
    owner?.kill('SIGKILL');
    await until('the owner to be gone', goneMs, () => owner?.signalCode === 'SIGKILL');
    expect(await traces()).not.toEqual([]);
    await sweep(() => undefined);
    expect(await traces()).toEqual([]);
  });

  it('does not come for clusters that stay, nor for those of the living', async () => {
    const cluster = await launch({ instance: named(), stays: true });
    await until('its guardian to end', goneMs, async () => (await guardians()).length === 0);
    await sweep(() => undefined);
    expect(await instances()).toContain(instance);
    expect(await cluster.isRunning('apiserver')).toBe(true);
    cluster.api.close();
  });

  it('keeps keys and state from other users', async () => {
    const cluster = await launch({ instance: named() });
    const keys = (await readdir(join(cluster.folder, 'pki'))).filter((file) => file.endsWith('.key'));
    const secrets = [
      ...keys.map((key) => join('pki', key)),
      'cluster.json',
      'kubeconfigs/admin',
      'processes/etcd.json',
    ];
    const modes = await Promise.all(['.', ...secrets].map(async (file) => modeOf(join(cluster.folder, file))));
    expect(new Set(modes)).toEqual(new Set(['700', '600']));
    cluster.api.close();
  });

  function named(): string {
    instance = `end-${randomBytes(3).toString('hex')}`;
    return instance;
  }

  // Returns once it has printed the line; without one, at once.
  async function startOwner(line?: string): Promise<void> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'owner.ts'), 'loopback', named()], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    owner = child;
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    if (line !== undefined) await until(`the owner to say ${line}`, 60_000, () => printed.includes(line));
  }

  async function traces(): Promise<string[]> {
    const folder = folderOf(instance);
    const processes = [...(await markedProcesses(folder)), ...(await guardians())].map(String);
    const files = (await readdir(stateRoot())).filter((file) => file.startsWith(instance));
    return [...processes, ...files, ...(existsSync(folder) ? [folder] : [])];
  }

  function guardians(): Promise<number[]> {
    return processesWith(guardianMarker, folderOf(instance));
  }

  async function modeOf(file: string): Promise<string> {
    return ((await stat(file)).mode & 0o777).toString(8);
  }
});
