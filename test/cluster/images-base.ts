import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { keyOf } from './cache.ts';
import { run } from './command.ts';
import { buildahBuild, hasImage } from './images-buildah.ts';
import { copyWithLibraries, libraryNamed } from './images-libraries.ts';
import { narrate } from './progress.ts';
import type { Progress } from './progress.ts';

/** What a base image brings: Node or Python, as `node` or `python3` on its PATH. */
export type BaseKind = 'node' | 'python';

// Raise it when what goes into a base image changes.
const recipe = '2';
// What a wheel or a native module may take for granted on any Linux with glibc, whether the program itself needs it or not.
const usualLibraries = [
  ...['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1', 'libresolv.so.2'],
  ...['libgcc_s.so.1', 'libstdc++.so.6', 'libz.so.1'],
];
const ignoredModules = new Set(['test', 'idlelib', 'tkinter', 'turtledemo', 'lib2to3', 'ensurepip', 'site-packages']);

/** The tag of the base image of that kind; another version of the program gives another tag. */
export async function baseTag(kind: BaseKind): Promise<string> {
  return `localhost/aiworkflow/base-${kind}:${keyOf(recipe, await digestOf(await programOf(kind)))}`;
}

/**
 * Makes a base image of this machine's own files, for no registry can be asked: the program, the libraries it needs, the
 * certificates, a user without rights (65532). Done once for each tag.
 */
export async function makeBaseImage(kind: BaseKind, tag: string, progress: Progress): Promise<void> {
  if (await hasImage(tag)) return;
  await narrate(progress, `making the base image for ${kind} … about 20 s`, async () => {
    const context = await mkdtemp(join(tmpdir(), `aiworkflow-base-${kind}-`));
    try {
      await fillRootfs(kind, join(context, 'rootfs'));
      await writeFile(join(context, 'Dockerfile'), dockerfile);
      await buildahBuild({ dockerfile: join(context, 'Dockerfile'), context, tag });
    } finally {
      await rm(context, { recursive: true, force: true });
    }
  });
}

async function programOf(kind: BaseKind): Promise<string> {
  return kind === 'node' ? process.execPath : realpath(await pythonValue('sys.executable'));
}

const dockerfile = `FROM scratch
COPY rootfs/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin LD_LIBRARY_PATH=/usr/local/lib
USER 65532:65532
`;

async function fillRootfs(kind: BaseKind, rootfs: string): Promise<void> {
  const program = await programOf(kind);
  await mkdir(join(rootfs, 'usr/local/bin'), { recursive: true });
  if (kind === 'node') await copyWithLibraries([program], rootfs, { [program]: '/usr/local/bin/node' });
  else await copyPython(program, rootfs);
  await copyWithLibraries(await Promise.all(usualLibraries.map(libraryNamed)), rootfs);
  await writeCommonFiles(rootfs);
}

async function writeCommonFiles(rootfs: string): Promise<void> {
  await mkdir(join(rootfs, 'etc/ssl/certs'), { recursive: true });
  await mkdir(join(rootfs, 'home/nonroot'), { recursive: true });
  await mkdir(join(rootfs, 'tmp'));
  await chmod(join(rootfs, 'tmp'), 0o1777);
  const certificates = 'etc/ssl/certs/ca-certificates.crt';
  // A machine without any has nothing to give: then only servers with certificates of their own can be asked.
  await copyFile(join('/', certificates), join(rootfs, certificates)).catch(() => undefined);
  const users = 'root:x:0:0::/root:/none\nnonroot:x:65532:65532::/home/nonroot:/none\n';
  await writeFile(join(rootfs, 'etc/passwd'), users);
  await writeFile(join(rootfs, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
  await writeFile(join(rootfs, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

// Python finds its library relative to its program, so both may move to /usr/local, whatever they were.
async function copyPython(program: string, rootfs: string): Promise<void> {
  const stdlib = await pythonValue(`sysconfig.get_path('stdlib')`);
  const name = basename(stdlib);
  const target = join(rootfs, 'usr/local/lib', name);
  await cp(stdlib, target, {
    recursive: true,
    preserveTimestamps: true, // by which Python knows whether byte code is up to date
    dereference: true,
    filter: (source) => !(dirname(source) === stdlib && isIgnored(basename(source))),
  });
  await mkdir(join(target, 'site-packages'));
  await copyWithLibraries([program], rootfs, { [program]: `/usr/local/bin/${name}` });
  for (const link of ['python3', 'python']) await symlink(name, join(rootfs, 'usr/local/bin', link));
  const extensions = await readdir(join(stdlib, 'lib-dynload'));
  await copyWithLibraries(
    extensions.map((file) => join(stdlib, 'lib-dynload', file)),
    rootfs,
    {},
    'libraries',
  );
}

function isIgnored(module: string): boolean {
  return ignoredModules.has(module) || module.startsWith('config-');
}

async function pythonValue(expression: string): Promise<string> {
  const script = `import sys, sysconfig; print(${expression})`;
  return (await run('python3', ['-c', script])).trim();
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
