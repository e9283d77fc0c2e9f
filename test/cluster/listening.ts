import { readFile } from 'node:fs/promises';

/** Whether somebody listens on that TCP port in the network namespace of that process, whichever it is. */
export async function listensBeside(pid: number, port: number): Promise<boolean> {
  const tables = ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => ''));
  const lines = (await Promise.all(tables)).join('\n').split('\n');
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  // Columns: slot, local address and port, remote, state (0A listens).
  return lines.some((line) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${hexPort} [0-9A-F]+:0000 0A `).test(line));
}
