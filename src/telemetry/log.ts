import { createLogger, format, transports, type Logger } from 'winston';
import type { Log } from '../runtime/ports.ts';

/** How to log. */
export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** One JSON object a line, or a line for people. */
  readonly format: 'json' | 'pretty';
}

/** A longer field would be somebody's payload, which is nobody's business here. */
const MAX_FIELD = 2_000;

/** Logs to stdout. */
export function createLog(options: LogOptions): Log {
  const fields = format((info) => Object.assign(info, plain(info)));
  const shape = options.format === 'json' ? format.json() : format.printf((info) => pretty(info));
  const logger = createLogger({
    level: options.level,
    format: format.combine(format.timestamp(), fields(), shape),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's own types disagree on its streams
    transports: [new transports.Console()],
  });
  return adapt(logger);
}

function adapt(logger: Logger): Log {
  return {
    debug: (message, fields) => void logger.debug(message, fields),
    info: (message, fields) => void logger.info(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    error: (message, fields) => void logger.error(message, fields),
    child: (fields) => adapt(logger.child(fields)),
  };
}

function plain(info: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(info).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return errorFields(value, 0);
  if (typeof value === 'string' && value.length > MAX_FIELD) return `${value.slice(0, MAX_FIELD)}…`;
  return typeof value === 'bigint' ? String(value) : value;
}

/** With its causes: the first says what could not be done, the last why. A stack is of use for defects only. */
function errorFields(error: Error, depth: number): Record<string, unknown> {
  const { name, message, cause } = error;
  const reason = 'reason' in error ? error.reason : undefined;
  const isDefect = reason === undefined || reason === 'InternalError';
  return {
    ...{ name, message: plainValue(message) },
    ...(typeof reason === 'string' && { reason }),
    ...(isDefect && { stack: plainValue(error.stack ?? '') }),
    ...(cause instanceof Error && depth < 4 && { cause: errorFields(cause, depth + 1) }),
  };
}

function pretty({ timestamp, level, message, ...fields }: Readonly<Record<string, unknown>>): string {
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [String(timestamp).slice(11, 23), level, message, ...rest].join(' ');
}
