const MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };

/** The milliseconds in a Go duration that has passed the `duration` schema; NaN for anything else. */
export function durationMs(text: string): number {
  let total = 0;
  let rest = text;
  while (rest !== '') {
    const match = /^([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|us|µs|ns)/.exec(rest);
    const unit = MS[match?.[2] ?? ''];
    if (!match || unit === undefined) return Number.NaN;
    total += Number(match[1]) * unit;
    rest = rest.slice(match[0].length);
  }
  return text === '' ? Number.NaN : total;
}

/** A Go duration for a person: whole seconds from one second on (`1m30s`), milliseconds below. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}
