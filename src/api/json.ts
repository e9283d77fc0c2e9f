/**
 * JSON as users and the API server mean it: 64-bit integers stay exact, and no
 * nesting crashes us. JavaScript's own parser rounds integers beyond 2^53, and
 * its reviver and serializer recurse: at some thousand levels they overflow the
 * stack, where the API server accepts ten thousand. One such object would stop
 * the list it is on, for every tenant. Hence no recursion here.
 */

/** The deepest nesting that is written: the limit of the API server's own parser. */
export const MAX_DEPTH = 10_000;

/** A value nested deeper than MAX_DEPTH; in practice, a circle. */
export class TooDeep extends Error {
  override readonly name = 'TooDeep';
}

const INT64_MAX = 2n ** 63n - 1n;
/** Sixteen digits are the fewest that can exceed Number.MAX_SAFE_INTEGER. */
const longNumber = /-?\d{16,}/;
const longNumbers = /(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

/**
 * Parses JSON of any depth. Integers beyond ±(2^53−1) and within 64 bits become
 * a bigint; whatever else is a number stays one. `__proto__` is a member like
 * any other. Throws a SyntaxError.
 */
export function parseJson(text: string): unknown {
  const plain: unknown = JSON.parse(text); // before anything else: its errors quote what was given
  if (!longNumber.test(text)) return plain;
  // Nobody who writes JSON can know it, so no string of theirs is taken for a number of ours.
  const mark = globalThis.crypto.randomUUID();
  const marked = markIntegers(text, mark);
  if (marked === text) return plain;
  const box: Container = { value: JSON.parse(marked) as unknown };
  replaceMarked(box, mark);
  return box['value'];
}

type Container = Record<string, unknown>;

/** The text with every integer that a double cannot hold made a string that begins with the mark. */
function markIntegers(text: string, mark: string): string {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const outside = text.slice(at, quote < 0 ? undefined : quote);
    pieces.push(outside.replace(longNumbers, (digits) => (needsBigInt(digits) ? `"${mark}${digits}"` : digits)));
    if (quote < 0) break;
    at = endOfString(text, quote);
    pieces.push(text.slice(quote, at));
  }
  return pieces.join('');
}

/** The index after the closing quote of the string that opens at `quote`. */
function endOfString(text: string, quote: number): number {
  for (let at = text.indexOf('"', quote + 1); ; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
}

function needsBigInt(digits: string): boolean {
  if (digits.length > 20 || Number.isSafeInteger(Number(digits))) return false;
  const value = BigInt(digits);
  return value <= INT64_MAX && value >= -INT64_MAX;
}

function replaceMarked(box: Container, mark: string): void {
  const open: Container[] = [box];
  for (let container = open.pop(); container; container = open.pop()) {
    for (const child of replaceIn(container, mark)) open.push(child);
  }
}

/** Replaces the members of one container and returns those that are containers. */
function replaceIn(container: Container, mark: string): readonly Container[] {
  const entries = Object.entries(container);
  for (const [key, value] of entries) {
    const isMarked = typeof value === 'string' && value.startsWith(mark);
    // Not an assignment, which on `__proto__` would do something else.
    if (isMarked) Object.defineProperty(container, key, { value: BigInt(value.slice(mark.length)) });
  }
  return entries.map(([, value]) => value).filter(isContainer);
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/**
 * What JSON.stringify makes of a value that is an object, an array or a JSON
 * scalar, with bigints as bare integers, up to MAX_DEPTH levels deep. Throws
 * TooDeep.
 */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (thrown) {
    // A bigint (TypeError) or the native recursion's end (RangeError); both are rare, and the native way is 5 times faster.
    if (thrown instanceof TypeError || thrown instanceof RangeError) return stringifyByStack(value);
    throw thrown;
  }
}

/** An object or array of which some members are written already. */
interface Frame {
  readonly members: Iterator<readonly [key: string | undefined, value: unknown]>;
  readonly close: '}' | ']';
  isEmpty: boolean;
}

function stringifyByStack(root: unknown): string {
  const out: string[] = [];
  const stack: Frame[] = [];
  write(asJson(root), out, stack);
  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    const next = frame.members.next();
    if (next.done) {
      out.push(frame.close);
      stack.pop();
      continue;
    }
    const [key, value] = next.value;
    out.push(frame.isEmpty ? '' : ',', key === undefined ? '' : `${JSON.stringify(key)}:`);
    frame.isEmpty = false;
    write(value, out, stack);
  }
  return out.join('');
}

function write(value: unknown, out: string[], stack: Frame[]): void {
  if (typeof value !== 'object' || value === null) {
    out.push(typeof value === 'bigint' ? value.toString() : scalarJson(value));
    return;
  }
  if (stack.length === MAX_DEPTH) throw new TooDeep(`The value is nested more than ${MAX_DEPTH} levels deep`);
  out.push(Array.isArray(value) ? '[' : '{');
  stack.push({
    members: Array.isArray(value) ? elements(value) : members(value),
    close: Array.isArray(value) ? ']' : '}',
    isEmpty: true,
  });
}

function scalarJson(value: unknown): string {
  return isWritten(value) ? JSON.stringify(value) : 'null';
}

function* elements(array: readonly unknown[]): Generator<readonly [undefined, unknown]> {
  for (const element of array) yield [undefined, asJson(element)];
}

function* members(object: object): Generator<readonly [string, unknown]> {
  for (const [key, member] of Object.entries(object)) {
    const value = asJson(member);
    if (isWritten(value)) yield [key, value];
  }
}

function isWritten(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol';
}

function asJson(value: unknown): unknown {
  const { toJSON } = (value ?? {}) as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? (toJSON.call(value) as unknown) : value;
}
