import type { temporal } from '@temporalio/proto';
import { jsonPayload, stringIn } from './payload.ts';

const UID = 'aiworkflow.dev/uid';
const RESOURCE = 'aiworkflow.dev/resource';

/** What a memo says of whose a run is. It travels along the chain of runs. */
export interface Owner {
  readonly uid?: string | undefined;
  /** `<clusterName>/<namespace>/<name>`. */
  readonly resource?: string | undefined;
}

/** The owner that a memo names. */
export function ownerIn(memo: temporal.api.common.v1.Memo.$Properties | null | undefined): Owner {
  return { uid: stringIn(memo?.fields?.[UID]), resource: stringIn(memo?.fields?.[RESOURCE]) };
}

/** A memo with these values, as JSON. */
export function memoOf(values: Readonly<Record<string, unknown>>): temporal.api.common.v1.Memo.$Shape {
  const fields = Object.entries(values).map(([key, value]) => [key, jsonPayload(value)] as const);
  return { fields: Object.fromEntries(fields) };
}
