import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { parseJson } from '../../api/json.ts';
import { OperatorError } from '../../errors.ts';
import type { Objection } from './observed.ts';

/** Reads the `data` of a ConfigMap; undefined where there is none. */
export type ReadConfigMap = (
  namespace: string,
  name: string,
  signal: AbortSignal,
) => Promise<Readonly<Record<string, string>> | undefined>;

/** The values of `argsFrom`, in order, or the first objection to one of them. */
export async function argsFromOf(
  { metadata, spec }: AIWorkflow,
  read: ReadConfigMap,
  signal: AbortSignal,
): Promise<readonly unknown[] | Objection> {
  const values: unknown[] = [];
  for (const [index, { configMapKeyRef }] of (spec.workflow.argsFrom ?? []).entries()) {
    const text = (await read(metadata.namespace ?? '', configMapKeyRef.name, signal))?.[configMapKeyRef.key];
    const path = `spec.workflow.argsFrom[${index}]: ConfigMap ${configMapKeyRef.name}, key ${configMapKeyRef.key}`;
    if (text === undefined)
      return { reason: 'ConfigMapNotFound', message: `${path}: there is no such value`, needsChange: false };
    const value = parsed(text);
    if (!value) return { reason: 'InvalidArgument', message: `${path}: the value is not JSON`, needsChange: false };
    values.push(value.json);
  }
  return values;
}

function parsed(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: parseJson(text) };
  } catch {
    return undefined;
  }
}

/** For callers that read through the API: a missing object is an answer, everything else an error. */
export async function orUndefined<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof OperatorError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}
