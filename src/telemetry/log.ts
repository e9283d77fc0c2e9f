import { createLogger, format, transports, type Logger } from 'winston';
import type { Log } from '../runtime/ports.ts';
import { escapeControls, plain } from './plain.ts';

/** How to log. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** One JSON object a line, or a line for people. */
  readonly format: 'json' | 'pretty';
}

type Fields = Readonly<Record<string, unknown>>;

/** One line, before it is written. */
interface Entry {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly fields: Fields;
}

/** Logs to stdout, a line each time, whatever is in the fields. */
export function createLog(options: LogOptions): Log {
  const line = options.format === 'json' ? jsonLine : prettyLine;
  const logger = createLogger({
    level: options.level,
    format: format.combine(
      format.timestamp(),
      format.printf((info) => escapeControls(line(info as unknown as Entry))),
    ),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's own types disagree on its streams
    transports: [new transports.Console()],
  });
  return adapt(logger, {});
}

function adapt(logger: Logger, bound: Fields): Log {
  // Kept apart from winston's own words: a field called `message` or `level` must not change what the line says.
  const write = (level: LogOptions['level']) => (message: string, fields?: Fields) =>
    void logger.log({ level, message, fields: { ...bound, ...fields } });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => adapt(logger, { ...bound, ...fields }),
  };
}

function jsonLine({ timestamp, level, message, fields }: Entry): string {
  return JSON.stringify({ ...(plain(fields) as Fields), timestamp, level, message });
}

function prettyLine({ timestamp, level, message, fields }: Entry): string {
  const known = Object.entries(plain(fields) as Fields).filter(([, value]) => value !== undefined);
  const rest = known.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [timestamp.slice(11, 23), level, message, ...rest].join(' ');
}
