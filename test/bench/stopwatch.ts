/** Figures of one measurement: how many a second, and milliseconds at percentiles. */
export interface Figures {
  readonly perSecond: number;
  readonly startedMs: Percentiles;
  readonly finalMs: Percentiles;
}

/** The middle and the slow end. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
}

/** When things happened to each name, by one clock. */
export class Stopwatch {
  private readonly times = new Map<string, { applied: number; started?: number; final?: number }>();

  applied(name: string): void {
    this.times.set(name, { applied: performance.now() });
  }

  /** Only the first time counts. */
  started(name: string): void {
    const times = this.times.get(name);
    if (times) times.started ??= performance.now();
  }

  /** Only the first time counts. */
  final(name: string): void {
    const times = this.times.get(name);
    if (times) times.final ??= performance.now();
  }

  /** Throws where something has not come to its end. */
  figures(): Figures {
    const all = [...this.times.values()].map(({ applied, started = NaN, final = NaN }) => ({
      applied,
      started,
      final,
    }));
    const wholeMs = Math.max(...all.map(({ final }) => final)) - Math.min(...all.map(({ applied }) => applied));
    if (Number.isNaN(wholeMs)) throw new Error('Not all have come to their end');
    return {
      perSecond: rounded((all.length * 1_000) / wholeMs),
      startedMs: percentiles(all.map(({ applied, started }) => started - applied)),
      finalMs: percentiles(all.map(({ applied, final }) => final - applied)),
    };
  }
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { p50: at(0.5), p95: at(0.95) };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Runs `work` for every name, at most `inFlight` at once. */
export async function inFlight(
  names: readonly string[],
  limit: number,
  work: (name: string) => Promise<void>,
): Promise<void> {
  const waiting = [...names];
  const loop = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await work(name);
  };
  await Promise.all(Array.from({ length: limit }, loop));
}
