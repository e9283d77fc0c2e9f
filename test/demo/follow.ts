import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Tools } from '../builders/tools.ts';

/** Watches objects of one kind through kubectl, so that it works on whatever cluster kubectl does. Returns how to stop. */
export function follow(tools: Tools, args: readonly string[], see: (object: unknown) => void): () => void {
  // The time limit ends it also where we do not get to.
  const watch = ['get', ...args, '--watch', '--output=json', '--request-timeout=15m'];
  const child = spawn(tools.programs.kubectl, watch, {
    env: { ...process.env, ...tools.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    // kubectl indents: a brace alone at the margin ends an object.
    if (line !== '}') return;
    see(JSON.parse(lines.join('\n')));
    lines = [];
  });
  return () => void child.kill();
}
