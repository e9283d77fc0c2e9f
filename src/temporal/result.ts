import { MAX_RESULT_BYTES } from '../api/aiworkflow.ts';
import { boundBytes, firstBytes } from '../api/conditions.ts';
import { encodingOf, jsonBytes, type Payload } from './payload.ts';

/** What a run returned, as a status can hold it. */
export interface RunResult {
  /** A JSON value; integers that JavaScript would round as BigInt, those beyond 64 bits (Kubernetes keeps no more) as strings. */
  readonly value: unknown;
  /** `value` is a string with the beginning of a larger JSON text. */
  readonly isTruncated: boolean;
}

/** What `parseJson` and `stringifyJson` keep. */
const INT64 = { min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n };

/** The result in the payloads of a completed run; undefined where it returned none. Never throws. */
export function resultOf(payloads: readonly Payload[] | null | undefined): RunResult | undefined {
  const payload = payloads?.[0];
  if (!payload) return undefined;
  const bytes = jsonBytes(payload);
  if (!bytes) {
    const value = `<${payload.data?.length ?? 0} bytes, encoded as ${boundBytes(encodingOf(payload), 100)}>`;
    return { value, isTruncated: false };
  }
  const text = new TextDecoder().decode(bytes.subarray(0, MAX_RESULT_BYTES), { stream: true });
  // Bytes that are no UTF-8 become longer as text.
  const start = firstBytes(text, MAX_RESULT_BYTES);
  if (bytes.length > MAX_RESULT_BYTES || start !== text) return { value: start, isTruncated: true };
  return { value: valueOf(text), isTruncated: false };
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text, exactly as (key: string, value: unknown) => unknown);
  } catch {
    return text; // labelled JSON by some worker, and none
  }
}

/** A reviver. The text is short, so that its recursion is bounded. `source` is the text of a number. */
function exactly(_key: string, value: unknown, { source = '' }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  if (!/^-?[0-9]+$/.test(source)) return Number.isFinite(value) ? value : source;
  const integer = BigInt(source);
  return integer >= INT64.min && integer <= INT64.max ? integer : source;
}
