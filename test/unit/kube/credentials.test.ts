import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Credentials } from '../../../src/kube/credentials.ts';
import { loadKubeConfig } from '../../../src/kube/kubeconfig.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'credentials-'))));
afterAll(() => rm(folder, { recursive: true }));

/** Writes a kubeconfig and returns its file. */
async function kubeconfig(name: string, user: object, cluster: object = {}): Promise<string> {
  const file = join(folder, name);
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x' },
    clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:6443/behind/a/proxy/', ...cluster } }],
    users: [{ name: 'x', user }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

const tokenOf = async (credentials: Credentials) => (await credentials.current()).headers['authorization'];

describe('credentials', () => {
  it('say where the server is and how to speak to it', async () => {
    const file = await kubeconfig('plain', { username: 'me', password: 'pass' });
    const { origin, prefix, headers } = await new Credentials(() => loadKubeConfig(file)).current();
    expect([origin, prefix, headers]).toEqual([
      'https://127.0.0.1:6443',
      '/behind/a/proxy',
      { authorization: 'Basic bWU6cGFzcw==' },
    ]);
  });

  it('are read from the file again when the server refuses them, and say whether that is of use', async () => {
    const file = await kubeconfig('rotated', { token: 'old' });
    const credentials = new Credentials(() => loadKubeConfig(file));
    const used = await credentials.current();
    expect(used.headers['authorization']).toBe('Bearer old');
    await kubeconfig('rotated', { token: 'new' });
    expect(await credentials.renew(used)).toBe(true);
    expect(await tokenOf(credentials)).toBe('Bearer new');
    // Whoever was refused with the old ones meanwhile needs no further reading.
    expect(await credentials.renew(used)).toBe(true);
    expect(await credentials.renew(await credentials.current())).toBe(false);
  });

  it('keep the connections while only the token changes, and replace them with the certificates', async () => {
    const file = await kubeconfig('pool', { token: 'old' }, { 'certificate-authority-data': 'b2xk' });
    const credentials = new Credentials(() => loadKubeConfig(file));
    const first = await credentials.current();
    await kubeconfig('pool', { token: 'new' }, { 'certificate-authority-data': 'b2xk' });
    await credentials.renew(first);
    const second = await credentials.current();
    expect(second.dispatcher).toBe(first.dispatcher);
    await new Promise((resolve) => setTimeout(resolve, 1_050)); // they are read once a second at most
    await kubeconfig('pool', { token: 'new' }, { 'certificate-authority-data': 'bmV3' });
    await credentials.renew(second);
    expect((await credentials.current()).dispatcher).not.toBe(first.dispatcher);
  });

  it('go on with what works while the file is broken, and fail when there never was any', async () => {
    const file = await kubeconfig('broken', { token: 'good' });
    const credentials = new Credentials(() => loadKubeConfig(file));
    const used = await credentials.current();
    await writeFile(file, '{ half a fi');
    expect(await credentials.renew(used)).toBe(false);
    expect(await tokenOf(credentials)).toBe('Bearer good');
    await expect(new Credentials(() => loadKubeConfig(file)).current()).rejects.toThrow();
  });

  it('are read once for all calls that wait for them', async () => {
    const file = await kubeconfig('once', { token: 'a' });
    let reads = 0;
    const config = loadKubeConfig(file);
    const read = config.applyToHTTPSOptions.bind(config);
    config.applyToHTTPSOptions = (options) => ((reads += 1), read(options));
    const credentials = new Credentials(() => config);
    await Promise.all(Array.from({ length: 20 }, () => credentials.current()));
    expect(reads).toBe(1);
  });

  it('come from a token file, also one that is named relative to the kubeconfig', async () => {
    await writeFile(join(folder, 'token'), 'from the file\n');
    const file = await kubeconfig('tokenfile', { tokenFile: 'token', token: 'stale' });
    const credentials = new Credentials(() => loadKubeConfig(file));
    const used = await credentials.current();
    expect(used.headers['authorization']).toBe('Bearer from the file');
    await writeFile(join(folder, 'token'), 'rotated');
    await credentials.renew(used);
    expect(await tokenOf(credentials)).toBe('Bearer rotated');
  });

  it('come from a plugin, which is asked again when its token is refused', async () => {
    const answer = join(folder, 'answer');
    const say = (token: string) =>
      writeFile(
        answer,
        JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }),
      );
    await say('first');
    const file = await kubeconfig('exec', {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'cat', args: [answer], interactiveMode: 'Never' },
    });
    const credentials = new Credentials(() => loadKubeConfig(file));
    const used = await credentials.current();
    expect(used.headers['authorization']).toBe('Bearer first');
    await say('second');
    await credentials.renew(used);
    expect(await tokenOf(credentials)).toBe('Bearer second');
  });
});
