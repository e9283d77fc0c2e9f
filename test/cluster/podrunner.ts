import { readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { killProcess, runningProcess, startProcess } from './processes.ts';
import { folderOf } from './state.ts';

/** How an image is played by a program of this machine. */
export interface ImageCommand {
  /** Takes the place of the image's ENTRYPOINT: a container's `args` follow it, its `command` replaces it. */
  readonly entrypoint: readonly string[];
  /** The image's ENV; the container's own wins. */
  readonly env?: Readonly<Record<string, string>>;
  /** The image's WORKDIR, as a folder of this machine. */
  readonly cwd?: string;
}

/** What the pod runner is told; read again whenever a container starts. */
export interface PodRunnerConfig {
  readonly images: Readonly<Record<string, ImageCommand>>;
  /** The wait before the second restart of a container, doubled for each further one up to thirty times itself. */
  readonly backoffMs: number;
}

/** Pods with this annotation, whatever its value, are run by the pod runner and not played by kwok. */
export const runAnnotation = 'test.aiworkflow.dev/run';

/** The process's name in the cluster. */
export const podRunnerName = 'podrunner';

/** What the pod runner of that cluster was last told. */
export async function readPodRunnerConfig(folder: string): Promise<PodRunnerConfig> {
  const text = await readFile(join(folder, 'podrunner.json'), 'utf8').catch(() => undefined);
  return text === undefined ? { images: {}, backoffMs: 1_000 } : (JSON.parse(text) as PodRunnerConfig);
}

/** Adds to what the pod runner is told, images by name, and starts it if it does not run. */
export async function runPods(instance: string, told: Partial<PodRunnerConfig>): Promise<void> {
  const folder = folderOf(instance);
  const before = await readPodRunnerConfig(folder);
  const config = { ...before, ...told, images: { ...before.images, ...told.images } };
  const file = join(folder, 'podrunner.json');
  await writeFile(`${file}.new`, JSON.stringify(config), { mode: 0o600 });
  await rename(`${file}.new`, file);
  if (await runningProcess(folder, podRunnerName).catch(() => undefined)) return;
  const args = [join(import.meta.dirname, 'podrunner-main.ts'), instance];
  // The state's place must be the launcher's own, which may have been moved by the environment.
  const xdg = process.env['XDG_STATE_HOME'];
  const env = { HOME: process.env['HOME'] ?? folder, ...(xdg !== undefined && { XDG_STATE_HOME: xdg }) };
  await startProcess(folder, { name: podRunnerName, program: process.execPath, args, env });
}

/** Stops the pod runner and every pod it runs, at once; their objects stay. */
export async function stopPods(instance: string): Promise<void> {
  await killProcess(folderOf(instance), podRunnerName, 'SIGTERM');
}

/** Where the files of a pod are: `<container>.log` and its volumes. */
export function podFolder(folder: string, namespace: string, pod: string): string {
  return join(folder, 'pods', namespace, pod);
}

/** All that the pod's containers have printed, over restarts, also after the pod is gone; by default of all containers. */
export async function podLogs(instance: string, pod: PodName, container?: string): Promise<string> {
  const folder = podFolder(folderOf(instance), pod.namespace, pod.name);
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.log'));
  const wanted = files.filter((file) => container === undefined || file === `${container}.log`);
  return (await Promise.all(wanted.map((file) => readFile(join(folder, file), 'utf8')))).join('');
}

/** A pod by name. */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
}
