import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { containerEnv } from './podrunner-env.ts';
import type { PodSources } from './podrunner-env.ts';
import { commandLine, ConfigError, withMappedPaths } from './podrunner-pod.ts';
import type { Container, Pod } from './podrunner-types.ts';
import { startContainer } from './podrunner-process.ts';
import type { ContainerLaunch, ContainerProcess } from './podrunner-process.ts';
import { isRestarted, now } from './podrunner-status.ts';
import type { ContainerState, ContainerView, TerminatedState } from './podrunner-status.ts';
import { containerPaths } from './podrunner-volumes.ts';
import type { ImageCommand, PodRunnerConfig } from './podrunner.ts';

/** What running a container takes besides the pod. */
export interface ContainerSurroundings {
  readonly sources: PodSources;
  /** Of the pod: logs and volumes. */
  readonly folder: string;
  readonly wrapper: readonly string[];
  /** What every process of a pod finds in its environment. */
  readonly baseEnv: Readonly<Record<string, string>>;
  config(): Promise<PodRunnerConfig>;
}

const configRetryMs = 1_000;
const longestBackoffs = 30;

/** One container of a pod: its process, and the next one after that has ended, until it is stopped. */
export class ContainerRun {
  view: ContainerView;
  private readonly pod: Pod;
  private readonly container: Container;
  private readonly around: ContainerSurroundings;
  private readonly onChange: () => void;
  private readonly stopping = new AbortController();
  private process: ContainerProcess | undefined;

  constructor(pod: Pod, container: Container, around: ContainerSurroundings, onChange: () => void) {
    this.pod = pod;
    this.container = container;
    this.around = around;
    this.onChange = onChange;
    const before = pod.status?.containerStatuses?.find(({ name }) => name === container.name);
    // A pod runner that was killed took its processes with it: for the pod that is a restart.
    const restartCount = (before?.restartCount ?? 0) + (before !== undefined && 'running' in before.state ? 1 : 0);
    const state = { waiting: { reason: 'ContainerCreating' } };
    this.view = { name: container.name, image: container.image ?? '', restartCount, state };
  }

  /** Resolves once the container has ended for good. */
  async run(): Promise<void> {
    for (let backoffs = 0; !this.stopping.signal.aborted;) {
      const end = await this.runOnce();
      if (end === undefined) {
        await this.pause(configRetryMs);
        continue;
      }
      this.change({ terminated: end });
      if (this.stopping.signal.aborted || !isRestarted(this.pod, end.exitCode)) return;
      await this.backOff(end, backoffs++);
    }
  }

  /** Asks the process to end; one that is waiting to be started is not started any more. */
  stop(): void {
    this.stopping.abort();
    this.process?.signal('SIGTERM');
  }

  /** Ends it at once. */
  kill(): void {
    this.stopping.abort();
    this.process?.signal('SIGKILL');
  }

  // Undefined when the specification cannot be carried out yet.
  private async runOnce(): Promise<TerminatedState | undefined> {
    try {
      const launch = await this.prepare();
      if (this.stopping.signal.aborted) return neverStarted();
      return await this.runProcess(launch);
    } catch (error) {
      const isConfig = error instanceof ConfigError;
      const message = error instanceof Error ? error.message : String(error);
      this.change({ waiting: { reason: isConfig ? 'CreateContainerConfigError' : 'RunContainerError', message } });
      return undefined;
    }
  }

  private async runProcess(launch: ContainerLaunch): Promise<TerminatedState> {
    const startedAt = now();
    this.process = startContainer(launch, this.around.wrapper);
    this.change({ running: { startedAt } });
    const { exitCode, signal, reason } = await this.process.ended;
    // What it left behind ends with it, as in a container.
    this.process.signal('SIGKILL');
    this.process = undefined;
    return {
      ...{ exitCode, startedAt, finishedAt: now(), reason: exitCode === 0 ? 'Completed' : 'Error' },
      ...(signal !== undefined && { signal }),
      ...(reason !== undefined && { message: reason }),
    };
  }

  private async prepare(): Promise<ContainerLaunch> {
    const { pod, container, around } = this;
    if (pod.spec.initContainers !== undefined) throw new ConfigError('The pod runner runs no init containers');
    const image = await this.imageCommand();
    await mkdir(around.folder, { recursive: true, mode: 0o700 });
    const paths = await containerPaths(pod, container, around);
    const own = await containerEnv(pod, container, around.sources);
    const named = { ...image.env, HOSTNAME: pod.metadata.name, ...own };
    const env = Object.entries(named).map(([name, value]) => [name, withMappedPaths(value, paths)] as const);
    const command = commandLine(container, image.entrypoint, named);
    return {
      command: command.map((part) => withMappedPaths(part, paths)),
      env: { ...around.baseEnv, ...Object.fromEntries(env) },
      cwd: container.workingDir ?? image.cwd ?? around.folder,
      logFile: join(around.folder, `${container.name}.log`),
      hostname: pod.metadata.name.slice(0, 63),
    };
  }

  private async imageCommand(): Promise<ImageCommand> {
    const { image: name = '', command } = this.container;
    const image = (await this.around.config()).images[name];
    if (image !== undefined) return image;
    if (command !== undefined) return { entrypoint: [] };
    throw new ConfigError(`The pod runner was told of no image ${name}`);
  }

  // The first restart comes at once, as a kubelet's does.
  private async backOff(end: TerminatedState, backoffs: number): Promise<void> {
    const { backoffMs } = await this.around.config();
    const waitMs = backoffs === 0 ? 0 : backoffMs * Math.min(2 ** (backoffs - 1), longestBackoffs);
    const { name, image, restartCount } = this.view;
    const waiting = { reason: 'CrashLoopBackOff', message: `back-off ${waitMs} ms restarting failed container` };
    this.view = { name, image, restartCount: restartCount + 1, state: { waiting }, lastState: { terminated: end } };
    if (waitMs > 0) this.onChange();
    await this.pause(waitMs);
  }

  private async pause(waitMs: number): Promise<void> {
    await delay(waitMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  private change(state: ContainerState): void {
    this.view = { ...this.view, state };
    this.onChange();
  }
}

function neverStarted(): TerminatedState {
  const at = now();
  return { exitCode: 137, reason: 'ContainerStatusUnknown', startedAt: at, finishedAt: at };
}
