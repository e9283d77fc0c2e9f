/** A long-running piece of the process: a watcher, an election, the health server. */
export interface Part {
  readonly name: string;
  /** Resolves once it serves. */
  start(): Promise<void>;
  /** Finishes what is in flight and returns. Called once. */
  stop(): Promise<void>;
}

/**
 * Starts the parts in order. Returns how to stop them, last started first; each
 * gets its chance, whatever becomes of the others. Stopping twice is stopping once.
 */
export async function startAll(parts: readonly Part[]): Promise<() => Promise<void>> {
  const started: Part[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= stopInReverse(started));
  for (const part of parts) {
    started.push(part);
    try {
      await part.start();
    } catch (cause) {
      await stop().catch(() => undefined); // why it did not start is what matters
      throw new Error(`Could not start ${part.name}`, { cause });
    }
  }
  return stop;
}

async function stopInReverse(parts: readonly Part[]): Promise<void> {
  const errors: unknown[] = [];
  for (const part of parts.toReversed()) await part.stop().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, 'Could not stop cleanly');
}

/** Resolves with the first of the signals that end a process. A second one ends it at once. */
export async function untilSignal(process: NodeJS.Process): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve(signal);
      });
    }
  });
}
