import { readFile } from 'node:fs/promises';
import { run } from './command.ts';
import { onPath } from './executables.ts';
import { narrate } from './progress.ts';
import type { Progress } from './progress.ts';
import type { ClusterMode } from './state.ts';

/** Programs of this machine that a cluster needs, and the Debian package of each. */
const packages: Readonly<Record<ClusterMode, Readonly<Record<string, string>>>> = {
  loopback: { openssl: 'openssl', flock: 'util-linux', nice: 'coreutils', python3: 'python3' },
  node: {
    containerd: 'containerd',
    runc: 'runc',
    buildah: 'buildah',
    '/usr/lib/cni/bridge': 'containernetworking-plugins',
    iptables: 'iptables',
    nft: 'nftables',
    conntrack: 'conntrack',
    ip: 'iproute2',
    nsenter: 'util-linux',
    sysctl: 'procps',
    mount: 'mount',
  },
};

/** Sees to it that they are there: installs what is missing where we may, else names it in one sentence. */
export async function ensureHostPrograms(mode: ClusterMode, progress: Progress): Promise<void> {
  const wanted = { ...packages.loopback, ...(mode === 'node' ? packages.node : {}) };
  const missing = new Set(await missingOf(wanted));
  if (missing.size === 0) return;
  if (!(await mayInstall())) throw new Error(`Missing programs: install ${[...missing].join(', ')}`);
  await narrate(progress, `installing ${[...missing].join(' ')} … about 30 s`, () => install([...missing]));
}

async function missingOf(wanted: Readonly<Record<string, string>>): Promise<string[]> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(wanted)) {
    if ((await onPath(program)) === undefined) missing.push(name);
  }
  return missing;
}

async function mayInstall(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return process.getuid?.() === 0 && /^ID(_LIKE)?=.*debian/m.test(release);
}

async function install(names: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...names], { env, timeoutMs: 900_000 });
}
