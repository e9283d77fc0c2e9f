import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** How a program is run to its end. */
export interface CommandOptions {
  readonly input?: string;
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** After which it is killed and the call fails; by default five minutes. */
  readonly timeoutMs?: number;
}

/** A program that ended badly: what it said stands in `stderr`, the end of it in the message. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(line: string, ended: Ended) {
    super(`${line}: ${ended.how}${ended.stderr === '' ? '' : `: ${ended.stderr.trim().slice(-2_000)}`}`);
    this.exitCode = ended.exitCode;
    this.stdout = ended.stdout;
    this.stderr = ended.stderr;
  }
}

interface Ended {
  readonly exitCode: number | undefined;
  readonly how: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and returns what it printed. Fails with `CommandError` on any exit but 0. */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Not the option `timeout`: its timer keeps this process alive after a program that could not be run.
    signal: AbortSignal.timeout(options.timeoutMs ?? 300_000),
    killSignal: 'SIGKILL',
  });
  // A program that does not read its input closes the pipe: its exit code tells more than our EPIPE would.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const ended = await endOf(child);
  if (ended.exitCode !== 0) throw new CommandError([program, ...args].join(' ').slice(0, 300), ended);
  return ended.stdout;
}

/** As `run`, for answers that are allowed to fail: undefined instead of an error. */
export async function tryRun(program: string, args: readonly string[]): Promise<string | undefined> {
  return run(program, args, { timeoutMs: 30_000 }).catch(() => undefined);
}

function endOf(child: ChildProcess): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return new Promise((resolve) => {
    child.on('error', (error) => {
      resolve({ exitCode: undefined, how: error.message, ...output });
    });
    child.on('close', (code, signal) => {
      resolve({ exitCode: code ?? undefined, how: signal ?? `exit code ${code ?? '?'}`, ...output });
    });
  });
}
