import type { temporal } from '@temporalio/proto';
import { parseJson, stringifyJson } from '../api/json.ts';

/** A value with its encoding, as Temporal carries and stores it. */
export type Payload = temporal.api.common.v1.Payload.$Properties;

const utf8 = new TextEncoder();
const JSON_PLAIN = utf8.encode('json/plain');

/** `value` as every SDK reads JSON. Big integers are written digit by digit. */
export function jsonPayload(value: unknown): Payload {
  return { metadata: { encoding: JSON_PLAIN }, data: utf8.encode(stringifyJson(value)) };
}

/** The name of the payload's encoding, `unknown` where it has none. */
export function encodingOf({ metadata }: Payload): string {
  const encoding = metadata?.['encoding'];
  return encoding ? new TextDecoder().decode(encoding) : 'unknown';
}

/** The bytes of the payload's JSON text; undefined where it holds something else. */
export function jsonBytes(payload: Payload): Uint8Array | undefined {
  const encoding = encodingOf(payload);
  if (encoding === 'binary/null') return utf8.encode('null');
  if (encoding !== 'json/plain' && encoding !== 'json/protobuf') return undefined;
  return payload.data ?? new Uint8Array();
}

/** The string in a payload; undefined where it holds anything else. */
export function stringIn(payload: Payload | null | undefined): string | undefined {
  const value = payload ? jsonIn(payload) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The members of the object in a payload; undefined where it holds anything else. */
export function membersIn(payload: Payload): Readonly<Record<string, unknown>> | undefined {
  const value = jsonIn(payload);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>;
}

function jsonIn(payload: Payload): unknown {
  const bytes = jsonBytes(payload);
  if (!bytes) return undefined;
  try {
    return parseJson(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
