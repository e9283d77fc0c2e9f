import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../cluster/places.ts';
import { GiveUp, until } from '../cluster/poll.ts';
import { pythonWithKit } from './pythonenv.ts';

/** The worker that registers one workflow type for each way a run can behave. */
export const testWorker = join(repository, 'test/integration/workers/python/worker.py');

/** What to run, and what the operator would put into the pod's environment. */
export interface PythonWorkerOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Arguments of Python: a script or `-c` and code; by default the script of `testWorker`. */
  readonly args?: readonly string[];
  /** Runs it as process 1 of a process namespace of its own, as in a container; needs root. */
  readonly asProcessOne?: boolean;
}

/** A Python worker that runs as a process of this machine. */
export interface PythonWorker {
  /** All it has printed so far, on both streams. */
  output(): string;
  /** Returns once it has printed the text; fails, with its output, when it ends without. */
  printed(text: string, deadlineMs?: number): Promise<void>;
  /** Sends it a signal, as the kubelet would. */
  signal(signal: NodeJS.Signals): void;
  /** Its exit code once it has ended, or the signal that killed it. */
  ended(deadlineMs?: number): Promise<number | NodeJS.Signals>;
  /** Kills it if it runs. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a Python worker in an otherwise empty environment. Returns at once; await `printed('Polling')`. */
export async function startPythonWorker(options: PythonWorkerOptions): Promise<PythonWorker> {
  const python = await pythonWithKit();
  const command = [python, ...(options.args ?? [testWorker])];
  // --kill-child ends process 1 with `unshare`; signals go to process 1 itself.
  const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const [program = python, ...args] = options.asProcessOne === true ? [...unshare, ...command] : command;
  const child = spawn(program, args, {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', PYTHONDONTWRITEBYTECODE: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return workerOf(child, options.asProcessOne === true);
}

function workerOf(child: ChildProcess, isProcessOne: boolean): PythonWorker {
  let output = '';
  let end: number | NodeJS.Signals | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  child.on('error', (error) => (output += error.message));
  child.on('close', (code, signal) => (end = code ?? signal ?? 'SIGKILL'));
  const isPrinted = (text: string) => {
    if (!output.includes(text) && end !== undefined) throw new GiveUp(`The worker ended with ${end}:\n${output}`);
    return output.includes(text);
  };
  const ended = async (deadlineMs = 30_000) => {
    await until(`the worker to end, which printed:\n${output}`, deadlineMs, () => end !== undefined);
    return end ?? 'SIGKILL';
  };
  return {
    output: () => output,
    printed: async (text, deadlineMs = 30_000) => void (await until(`"${text}"`, deadlineMs, () => isPrinted(text))),
    signal: (signal) => void process.kill(isProcessOne ? onlyChildOf(child) : pidOf(child), signal),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended();
    },
  };
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('The worker was never started');
  return child.pid;
}

function onlyChildOf(child: ChildProcess): number {
  const pid = pidOf(child);
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
