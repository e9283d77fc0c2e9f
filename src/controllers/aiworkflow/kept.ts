import type { AIWorkflow } from '../../api/aiworkflow.ts';
import { stringifyJson } from '../../api/json.ts';

/** A run as it is kept in memory: perhaps without the arguments in its spec. */
export type KeptRun = AIWorkflow & {
  /** Says why nothing of the spec may be read. */
  readonly problem?: string;
  /** Bytes of the whole spec as JSON, where it lacks its arguments here and a start has to read them first. */
  readonly specBytes?: number;
};

/** A spec up to this size is kept as it is, so that the start of an ordinary run reads nothing more. In bytes. */
export const MAX_KEPT_SPEC_BYTES = 8 * 1024;

/**
 * Without arguments that are large or of no use any more: anybody may create
 * runs of more than a megabyte each by the hundred, and memory is everybody's.
 */
export function withoutArguments(run: KeptRun): KeptRun {
  const whole = workflowOf(run);
  if (whole?.args === undefined) return run;
  const { args: _, ...workflow } = whole;
  const spec = { ...run.spec, workflow };
  // What has been started is never started again.
  if (run.status.temporal?.runID !== undefined) return { ...run, spec };
  const specBytes = jsonBytes(run.spec);
  return specBytes === undefined || specBytes <= MAX_KEPT_SPEC_BYTES ? run : { ...run, spec, specBytes };
}

/** Anything or nothing, where an older schema has let it through. */
const workflowOf = ({ spec }: KeptRun) => (spec as Partial<AIWorkflow['spec']> | undefined)?.workflow;

/** The bytes of a value as JSON; undefined where it is nested too deeply to be encoded. */
export function jsonBytes(value: unknown): number | undefined {
  try {
    return new TextEncoder().encode(stringifyJson(value)).length;
  } catch {
    return undefined;
  }
}
