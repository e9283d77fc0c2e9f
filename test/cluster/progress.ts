/** Tells the person who waits what is being done. One line each, no full stop. */
export type Progress = (line: string) => void;

/** Progress on standard error, so that standard output stays the answer of a command. */
export const toStderr: Progress = (line) => void process.stderr.write(`${line}\n`);

/** Says the line, and again how long it has taken so far every half minute, until the work has ended. */
export async function narrate<Value>(progress: Progress, line: string, work: () => Promise<Value>): Promise<Value> {
  const began = Date.now();
  progress(line);
  const timer = setInterval(() => progress(`${line}: ${inWords(Date.now() - began)} so far`), 30_000).unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** "8 s", "2 min 05 s". */
export function inWords(durationMs: number): string {
  const seconds = Math.round(durationMs / 1_000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
