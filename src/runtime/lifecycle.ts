/** A long-running piece of the process: a watcher, an election, the health server. */
export interface Part {
  readonly name: string;
  /** Resolves once it serves. */
  start(): Promise<void>;
  /** Finishes what is in flight and returns. Called once; also while `start` has not returned yet, which then need not do so any more. */
  stop(): Promise<void>;
}

/**
 * Starts the parts in order, waits for `ended`, and stops them, last started
 * first; each gets its chance, whatever becomes of the others. `ended` may come
 * while they start. A part that does not start has all before it stopped.
 * `onStarted` is called once all of them serve.
 */
export async function runAll(parts: readonly Part[], ended: Promise<unknown>, onStarted?: () => void): Promise<void> {
  const started: Part[] = [];
  try {
    if (await startInOrder(parts, ended, started)) onStarted?.();
    await ended;
  } catch (cause) {
    await stopInReverse(started).catch(() => undefined); // why it did not start is what matters
    throw cause;
  }
  await stopInReverse(started);
}

/** Whether all parts serve: false when the end came first. */
async function startInOrder(parts: readonly Part[], ended: Promise<unknown>, started: Part[]): Promise<boolean> {
  const over = ended.then(() => true);
  for (const part of parts) {
    started.push(part);
    const starting = part.start().catch((cause: unknown) => {
      throw new Error(`Could not start ${part.name}`, { cause });
    });
    // One that fails after the end has come fails for nobody.
    if (await Promise.race([over, starting.then(() => false)])) return false;
  }
  return true;
}

async function stopInReverse(parts: readonly Part[]): Promise<void> {
  const errors: unknown[] = [];
  for (const part of parts.toReversed()) await part.stop().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw new AggregateError(errors, 'Could not stop cleanly');
}

/** What of a process this needs. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Resolves with the first of the signals that end a process; a second one, be it
 * the other, ends it at once. Call it before anything else: as process 1 of a
 * container, a process that does not listen does not get the signal at all.
 */
export async function untilSignal(process: SignalSource): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isEnding = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (isEnding) process.exit(1);
        isEnding = true;
        resolve(signal);
      });
    }
  });
}
