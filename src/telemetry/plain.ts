/** A longer text would be somebody's payload, which is nobody's business here. */
const MAX_TEXT = 2_000;
const MAX_MEMBERS = 50;
const MAX_DEPTH = 6;

/** Fields that are never shown, whatever they hold: the net below those who should not have passed them. */
const secretName = /^(authorization|cookie|set-?cookie|password|passphrase|api-?key|private-?key|client-?key|token)$/i;
const HIDDEN = '[hidden]';
/** Credentials as they look inside of other text. */
const secrets: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic) [\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, HIDDEN],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  [/:\/\/[^\s/@:]+:[^\s/@]+@/g, `://${HIDDEN}@`],
];

/**
 * Anything as plain JSON that may be logged: bounded in every direction, errors
 * with their causes, credentials hidden. Never throws, not even on a circle.
 */
export function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return plainText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  return depth >= MAX_DEPTH ? '…' : plainObject(value, depth);
}

function plainObject(value: object, depth: number): unknown {
  if (value instanceof Error) return plainError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((member) => plain(member, depth + 1));
  return plainFields(value, depth + 1);
}

function plainFields(value: object, depth: number): Record<string, unknown> {
  const members = Object.entries(value).slice(0, MAX_MEMBERS);
  return Object.fromEntries(
    members.map(([name, member]) => [name, secretName.test(name) && member ? HIDDEN : plain(member, depth)]),
  );
}

function plainText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return secrets.reduce((shown, [pattern, instead]) => shown.replace(pattern, instead), cut);
}

/** With its causes: the first says what could not be done, the last why. A stack is of use for defects only, there also those of the causes. */
function plainError(error: Error, depth: number, isCauseOfDefect = true): Record<string, unknown> {
  const { name, message, cause, stack = '' } = error;
  const { reason, code } = error as { readonly reason?: unknown; readonly code?: unknown };
  const isDefect = isCauseOfDefect && (reason === undefined || reason === 'InternalError');
  return {
    ...{ name, message: plainText(message) },
    ...(typeof reason === 'string' && { reason }),
    ...(typeof code === 'string' && { code }),
    ...(isDefect && { stack: plainText(stack) }),
    ...(cause !== undefined && { cause: plainCause(cause, depth + 1, isDefect) }),
    ...(error instanceof AggregateError && { errors: plain(error.errors, depth + 1) }),
  };
}

function plainCause(cause: unknown, depth: number, isOfDefect: boolean): unknown {
  return cause instanceof Error && depth < MAX_DEPTH ? plainError(cause, depth, isOfDefect) : plain(cause, depth);
}

/** Characters that a terminal obeys or that hide what is written, as `\uXXXX`. */
export function escapeControls(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
