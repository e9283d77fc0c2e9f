import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Runs the work while no other process holds the same lock file. The lock is the kernel's, held by a child whose
 * input is our pipe, so that it is free again the moment this process dies, however it dies.
 */
export async function withLock<Value>(file: string, work: () => Promise<Value>): Promise<Value> {
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => holder.on('close', () => resolve()));
  holder.stdin.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve());
    holder.on('error', (cause) => reject(new Error('Could not run flock (Debian package util-linux)', { cause })));
    holder.on('close', () => reject(new Error(`Could not lock ${file}`)));
  });
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
