import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';

/** A container's process, about to be started. */
export interface ContainerLaunch {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  /** What the process is to find as this machine's name. */
  readonly hostname: string;
}

/** How a container's process ended. */
export interface ContainerEnd {
  /** 128 and the signal's number for one that was killed, as in a container's status. */
  readonly exitCode: number;
  readonly signal?: number;
  /** Set when it could not even be started. */
  readonly reason?: string;
}

/** A container's process that was started. */
export interface ContainerProcess {
  readonly ended: Promise<ContainerEnd>;
  /** SIGTERM reaches the main process only, as in a container; SIGKILL all of its group. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

const setHostname = 'printf %s "$0" > /proc/sys/kernel/hostname && exec "$@"';
const wrappers = [
  ['unshare', '--uts'],
  ['unshare', '--user', '--map-root-user', '--uts'],
];

/**
 * How a process is given a host name of its own on this machine: as root, or in a user namespace where those are
 * allowed. Empty where neither works; then only the variable HOSTNAME tells the pod's name.
 */
export function hostnameWrapper(): readonly string[] {
  const works = ([program = '', ...args]: readonly string[]) => {
    try {
      execFileSync(program, [...args, 'sh', '-c', setHostname, 'probe', 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  const found = wrappers.find(works);
  return found === undefined ? [] : [...found, 'sh', '-c', setHostname];
}

/** Starts it, its output appended to its log. A program that cannot be run ends with code 127, as in a shell. */
export function startContainer(launch: ContainerLaunch, wrapper: readonly string[]): ContainerProcess {
  const log = openSync(launch.logFile, 'a', 0o600);
  const named = wrapper.length === 0 ? [] : [...wrapper, launch.hostname];
  const [program = '', ...args] = [...named, ...launch.command];
  const child = spawn(program, args, { cwd: launch.cwd, env: launch.env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<ContainerEnd>((resolve) => {
    child.on('error', (error) => resolve({ exitCode: 127, reason: error.message }));
    child.on('exit', (code, signal) => resolve(endOf(code, signal)));
  });
  return {
    ended,
    signal: (signal) => {
      if (child.pid !== undefined) send(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
    },
  };
}

function endOf(code: number | null, signal: NodeJS.Signals | null): ContainerEnd {
  if (signal === null) return { exitCode: code ?? 0 };
  const number = constants.signals[signal];
  return { exitCode: 128 + number, signal: number };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
