import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { identityOf, isAlive } from './identity.ts';
import type { ProcessIdentity } from './identity.ts';
import { until } from './poll.ts';

/** A server of the cluster: enough to start it again just as it was. */
export interface ProcessSpec {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The network namespace it lives in; without one, this machine's. */
  readonly netns?: string;
}

interface ProcessRecord {
  readonly spec: ProcessSpec;
  readonly identity?: ProcessIdentity;
}

/** Every process carries this in its environment: what a dead launcher did not get to write down is found by it. */
export const marker = 'AIWORKFLOW_CLUSTER';
const stopGraceMs = 20_000;

/** Starts a process that outlives us, its output appended to `log/<name>.log`. It may be started again after its end. */
export async function startProcess(folder: string, spec: ProcessSpec): Promise<void> {
  const file = recordFile(folder, spec.name);
  await mkdir(join(folder, 'processes'), { recursive: true });
  await mkdir(join(folder, 'log'), { recursive: true });
  await writeFile(file, JSON.stringify({ spec }), { mode: 0o600 });
  const pid = spawnDetached(folder, spec);
  const identity = identityOf(pid);
  await writeFile(file, JSON.stringify({ spec, ...(identity && { identity }) }), { mode: 0o600 });
}

/** Starts again what was started before under that name, just as it was. */
export async function startAgain(folder: string, name: string): Promise<void> {
  if (await runningProcess(folder, name)) throw new Error(`${name} is still running`);
  await startProcess(folder, (await recordOf(folder, name)).spec);
}

/** Sends the signal to the process and its children and returns once it is gone. SIGKILL follows a SIGTERM that is ignored. */
export async function killProcess(folder: string, name: string, signal: NodeJS.Signals): Promise<void> {
  const identity = await runningProcess(folder, name);
  if (identity === undefined) return;
  signalGroup(identity.pid, signal);
  const gone = () => !isAlive(identity);
  await until(`${name} to end`, stopGraceMs, gone).catch(() => {
    signalGroup(identity.pid, 'SIGKILL');
    return until(`${name} to end after SIGKILL`, stopGraceMs, gone);
  });
}

/** The process of that name, if it runs. */
export async function runningProcess(folder: string, name: string): Promise<ProcessIdentity | undefined> {
  const { identity } = await recordOf(folder, name);
  return identity !== undefined && isAlive(identity) ? identity : undefined;
}

/** The names of all processes ever started for the cluster. */
export async function processNames(folder: string): Promise<string[]> {
  const files = await readdir(join(folder, 'processes')).catch(() => []);
  return files.filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json'));
}

/** Every live process that carries the cluster's mark, on record or not; never this one. */
export function markedProcesses(folder: string): Promise<number[]> {
  return processesWith(marker, folder);
}

/** Every live process but this one that was started with that environment variable. */
export async function processesWith(variable: string, value: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const isMarked = (pid: number) => environmentOf(pid).includes(`${variable}=${value}`);
  return pids.filter((pid) => pid !== process.pid && isMarked(pid) && identityOf(pid) !== undefined);
}

/** The last lines a process printed, for the message of an error. */
export async function lastLines(folder: string, name: string, count = 8): Promise<string> {
  const log = await readFile(join(folder, 'log', `${name}.log`), 'utf8').catch(() => '');
  return log.trimEnd().split('\n').slice(-count).join('\n');
}

function spawnDetached(folder: string, spec: ProcessSpec): number {
  const log = openSync(join(folder, 'log', `${spec.name}.log`), 'a', 0o600);
  const enter = spec.netns === undefined ? [] : ['nsenter', `--net=/run/netns/${spec.netns}`, '--'];
  const [program = spec.program, ...args] = [...enter, spec.program, ...spec.args];
  try {
    const child = spawn(program, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: '/tmp', ...spec.env, [marker]: folder },
    });
    // Without a listener a program that cannot be run would end this process; the wait for its readiness will tell.
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw new Error(`Could not run ${program}`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

// Other users' processes do not show theirs, nor can they be ours.
function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

async function recordOf(folder: string, name: string): Promise<ProcessRecord> {
  const text = await readFile(recordFile(folder, name), 'utf8').catch((cause: unknown) => {
    throw new Error(`The cluster has no process called ${name}`, { cause });
  });
  return JSON.parse(text) as ProcessRecord;
}

function recordFile(folder: string, name: string): string {
  return join(folder, 'processes', `${name}.json`);
}
