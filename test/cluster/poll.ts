import { setTimeout as delay } from 'node:timers/promises';

const intervalMs = 100;

/**
 * Asks until the answer is something: neither undefined, null nor false. A probe that throws counts as "not yet";
 * its last error is the cause of ours when the deadline passes.
 */
export async function until<Value>(
  what: string,
  deadlineMs: number,
  probe: () => Promise<Value> | Value,
): Promise<Something<Value>> {
  const deadline = Date.now() + deadlineMs;
  let lastError: unknown;
  while (Date.now() < deadline) {
    const answer = await ask(probe);
    if ('value' in answer) return answer.value;
    lastError = answer.error;
    await delay(intervalMs);
  }
  throw new Error(`Waited ${deadlineMs} ms in vain for ${what}${because(lastError)}`, { cause: lastError });
}

type Something<Value> = Exclude<Value, undefined | null | false>;

async function ask<Value>(
  probe: () => Promise<Value> | Value,
): Promise<{ readonly value: Something<Value> } | { readonly error: unknown }> {
  try {
    const value = await probe();
    return isSomething(value) ? { value } : { error: undefined };
  } catch (error) {
    if (error instanceof GiveUp) throw error;
    return { error };
  }
}

/** Thrown by a probe that knows that waiting longer is no use. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}

function isSomething<Value>(value: Value): value is Something<Value> {
  return value !== undefined && value !== null && value !== false;
}

function because(error: unknown): string {
  return error instanceof Error ? `: ${error.message}` : '';
}
