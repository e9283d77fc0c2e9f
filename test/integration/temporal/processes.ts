import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../cluster/command.ts';
import { repository } from '../../cluster/places.ts';
import { until } from '../../cluster/poll.ts';
import { freePorts } from '../../cluster/ports.ts';
import { temporalProgram } from '../../cluster/programs-temporal.ts';
import { toStderr } from '../../cluster/progress.ts';
import { pythonWithKit } from '../pythonenv.ts';

/** A Temporal server of a test file's own, to be injured: the shared one serves other tests at the same time. */
export interface TestServer {
  readonly address: string;
  readonly port: number;
  /** Runs Temporal's CLI against it. */
  cli(...args: string[]): Promise<string>;
  /** kill -9; its state stays on disk. */
  kill(): Promise<void>;
  /** Stops it in its tracks: connections stay open, and nothing is answered. */
  freeze(): void;
  /** Lets it go on after `freeze`. */
  thaw(): void;
  /** Starts it again and returns once it serves. */
  startAgain(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts a server with its state on disk and the rate limits of a real one. */
export async function startServer(): Promise<TestServer> {
  const program = await temporalProgram(toStderr);
  const folder = await mkdtemp(join(tmpdir(), 'aiworkflow-temporal-'));
  const [port = 0, metrics = 0, http = 0] = await freePorts(3);
  const address = `127.0.0.1:${port}`;
  const args = [
    ...['server', 'start-dev', '--headless', '--log-level', 'error', '--ip', '127.0.0.1'],
    ...['--port', port, '--metrics-port', metrics, '--http-port', http].map(String),
    ...['--db-filename', join(folder, 'temporal.db')],
    ...['--sqlite-pragma', 'synchronous=off', '--sqlite-pragma', 'journal_mode=wal'],
    ...['--dynamic-config-value', 'frontend.namespaceRPS.visibility=10'],
    ...['--dynamic-config-value', 'frontend.WorkflowPauseEnabled=true'],
  ];
  const cli = (...words: string[]) =>
    run(program, [...words, '--address', address, '--disable-config-file', '--disable-config-env'], {
      timeoutMs: 30_000,
    });
  const isReady = () => cli('workflow', 'list', '--limit', '1', '--command-timeout', '2s').then(() => true);
  let process = spawnBound(program, args);
  const server: TestServer = {
    address,
    port,
    cli,
    kill: () => endBound(process),
    freeze: () => signalBound(process, 'SIGSTOP'),
    thaw: () => signalBound(process, 'SIGCONT'),
    startAgain: async () => {
      process = spawnBound(program, args);
      await until('the Temporal server', 30_000, isReady);
    },
    remove: async () => {
      await endBound(process);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await until('the Temporal server', 30_000, isReady);
  return server;
}

/** A Python worker with the workflows of `workers/python/worker.py`, on the task queue `taskQueue`. */
export interface TestWorker {
  stop(): Promise<void>;
}

/** Starts a worker and returns once it polls. */
export async function startWorker(
  server: TestServer,
  taskQueue: string,
  identity = 'worker-of-tests',
): Promise<TestWorker> {
  const python = await pythonWithKit();
  const env = {
    TEMPORAL_ADDRESS: server.address,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_TASK_QUEUE: taskQueue,
    AIWORKFLOW_IDENTITY: identity,
    AIWORKFLOW_SLOTS: '4',
    AIWORKFLOW_HEARTBEAT_SECONDS: '1',
    AIWORKFLOW_GRACE_SECONDS: '1',
  };
  const process = spawnBound(python, [join(repository, 'test/integration/workers/python/worker.py')], env);
  const describe = ['task-queue', 'describe', '--task-queue', taskQueue, '--output', 'json'];
  await until('the worker to poll', 30_000, async () => (await server.cli(...describe)).includes(identity));
  return { stop: () => endBound(process) };
}

/** The child ends when the pipe to it does: with this process, however that dies. */
function spawnBound(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const script = '"$@" </dev/null & child=$!; cat >/dev/null; kill -9 $child; wait $child';
  const path = process.env['PATH'];
  return spawn('sh', ['-c', script, 'sh', program, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: path, HOME: tmpdir(), ...env },
  });
}

/** Signals the program itself, not the shell that guards it. */
function signalBound(shell: ChildProcess, signal: NodeJS.Signals): void {
  const pid = shell.pid ?? 0;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  // Of its children it started the program first, and then what waits for the end of the pipe.
  const [program] = children;
  if (!program) throw new Error(`The program to get ${signal} is not running`);
  globalThis.process.kill(program, signal);
}

async function endBound(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin?.end();
  await ended;
}
