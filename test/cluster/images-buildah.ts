import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run, tryRun } from './command.ts';
import { withLock } from './lock.ts';
import { overlayWorks } from './overlay.ts';
import { cacheRoot } from './places.ts';

/** What an image is built from. */
export interface ImageBuild {
  readonly dockerfile: string;
  readonly context: string;
  /** Its name, as pods have it: `localhost/…`, for no registry is ever asked. */
  readonly tag: string;
  /** Build arguments. */
  readonly args?: Readonly<Record<string, string>>;
}

const buildTimeoutMs = 15 * 60_000;

/** Builds the image, keeps it in our own store (not this machine's), where later builds find it by its tag. */
export async function buildahBuild({ dockerfile, context, tag, args = {} }: ImageBuild): Promise<void> {
  await withStore(async (store) => {
    const buildArgs = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    const from = ['--pull-never', '--signature-policy', store.policy, ...buildArgs, '--file', dockerfile];
    const line = ['bud', '--quiet', '--isolation', 'chroot', ...from, '--tag', tag, context];
    await run('buildah', line, { env: store.env, timeoutMs: buildTimeoutMs });
  });
}

/** Whether our store has an image of that tag. */
export async function hasImage(tag: string): Promise<boolean> {
  const { env } = await storage();
  return run('buildah', ['inspect', '--type', 'image', tag], { env }).then(
    () => true,
    () => false,
  );
}

/** Writes the image to a file that containerd reads, whole or not at all. */
export async function exportImage(tag: string, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await withStore(async ({ env, policy }) => {
    const aside = `${file}.making`;
    await rm(aside, { force: true });
    const target = `docker-archive:${aside}:${tag}`;
    await run('buildah', ['push', '--quiet', '--signature-policy', policy, '--disable-compression', tag, target], {
      env,
    });
    await rename(aside, file);
  });
}

interface Store {
  readonly env: Readonly<Record<string, string>>;
  readonly policy: string;
}

function withStore<Value>(work: (store: Store) => Promise<Value>): Promise<Value> {
  return withLock(join(cacheRoot(), 'locks/buildah'), async () => work(await storage()));
}

async function storage(): Promise<Store> {
  const folder = join(cacheRoot(), 'buildah');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const driver = (await overlayWorks(folder)) ? 'overlay' : 'vfs';
  const roots = `graphroot = "${folder}/store"\nrunroot = "${folder}/run"\n`;
  const conf = `[storage]\ndriver = "${driver}"\n${roots}[storage.options.overlay]\nskip_mount_home = "true"\n`;
  await writeFile(join(folder, 'storage.conf'), conf);
  await writeFile(join(folder, 'policy.json'), JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  return { env: { CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf') }, policy: join(folder, 'policy.json') };
}

/** Removes our store of images; those written to files stay. */
export async function dropStore(): Promise<void> {
  const { env } = await storage();
  await tryRun('env', [`CONTAINERS_STORAGE_CONF=${env['CONTAINERS_STORAGE_CONF'] ?? ''}`, 'buildah', 'rmi', '--all']);
  await rm(join(cacheRoot(), 'buildah'), { recursive: true, force: true });
}
