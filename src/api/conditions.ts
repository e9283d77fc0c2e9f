import * as z from 'zod';
import type { Reason } from './reasons.ts';

/** Longest condition message, in bytes; keeps every status under its 16 KiB. */
export const MAX_MESSAGE_BYTES = 1024;

const utf8 = new TextEncoder();

export const Condition = z
  .object({
    type: z.string().min(1).max(316).describe('What the condition is about.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
    reason: z.string().min(1).max(1024).describe('Why, in one stable word.'),
    message: z.string().max(32768).describe('Why, in one sentence for a person.'),
    observedGeneration: z.int().min(0).optional().describe('The spec generation this speaks of.'),
    lastTransitionTime: z.iso.datetime().describe('When status last changed.'),
  })
  .describe('One observation about a resource.');
export type Condition = z.output<typeof Condition>;

/** The conditions of a kind; at most 16, one of each type. */
export const Conditions = z
  .array(Condition)
  .max(16)
  .describe('Latest observations, one of each type.')
  .meta({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  });

/** What a check found: the part of a condition that is decided, not bookkept. */
export interface Verdict {
  readonly status: Condition['status'];
  readonly reason: Reason;
  readonly message: string;
}

/** Verdicts by condition type; a type that is absent is removed from the status. */
export type Verdicts<Type extends string = string> = Readonly<Partial<Record<Type, Verdict>>>;

/** The condition to store: keeps the old timestamp unless `status` changed. */
export function transition(
  previous: Condition | undefined,
  next: Verdict & { readonly type: string; readonly observedGeneration: number },
  now: Date,
): Condition {
  const unchanged = previous?.status === next.status;
  return {
    type: next.type,
    status: next.status,
    reason: next.reason,
    message: boundBytes(next.message, MAX_MESSAGE_BYTES),
    observedGeneration: next.observedGeneration,
    lastTransitionTime: unchanged ? previous.lastTransitionTime : now.toISOString(),
  };
}

/** All conditions of a resource, in the order of `verdicts`. */
export function conditionsOf(
  previous: readonly Condition[] | undefined,
  verdicts: Verdicts,
  generation: number,
  now: Date,
): Condition[] {
  return Object.entries(verdicts).flatMap(([type, verdict]) => {
    if (!verdict) return [];
    const before = previous?.find((condition) => condition.type === type);
    return [transition(before, { type, observedGeneration: generation, ...verdict }, now)];
  });
}

/** Whether the condition `type` is True. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

/** `text` cut to at most `max` UTF-8 bytes, at a code point, with an ellipsis where something was cut. */
export function boundBytes(text: string, max: number): string {
  return utf8.encode(text).length <= max ? text : `${firstBytes(text, max - 3)}…`;
}

/** The longest beginning of `text` that has at most `max` UTF-8 bytes and ends with a whole code point. */
export function firstBytes(text: string, max: number): string {
  const bytes = utf8.encode(text);
  // As if more were to come, so that the beginning of a code point that was cut waits for its end, and is dropped.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, max), { stream: true });
}
