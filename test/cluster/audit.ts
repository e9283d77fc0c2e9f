import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One write that reached the API server, as its audit log tells it. */
export interface AuditEvent {
  /** When the request arrived, RFC 3339 with microseconds. */
  readonly requestReceivedTimestamp: string;
  readonly verb: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly userAgent?: string;
  readonly requestURI: string;
  /** Absent for requests that name no resource. */
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
  };
  /** Absent when the client went away before the answer. */
  readonly responseStatus?: { readonly code?: number };
}

const verbs = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** Who wrote what, without contents; reads are not counted, they would be most of the file. */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'Metadata', verbs }, { level: 'None' }],
};

/** The API server's flags for it. The file is not rotated: a test that counts must see every line. */
export function auditFlags(folder: string): Record<string, string> {
  return {
    'audit-policy-file': join(folder, 'audit/policy.json'),
    'audit-log-path': join(folder, 'audit/audit.log'),
    'audit-log-maxsize': '1000000',
  };
}

/** All writes since the cluster was made, oldest first. The server logs a request when it has answered it. */
export async function readAudit(folder: string): Promise<AuditEvent[]> {
  const text = await readFile(join(folder, 'audit/audit.log'), 'utf8').catch(() => '');
  // What follows the last line break is a line being written.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').flatMap(parsed);
}

// A killed API server leaves a torn line behind, and the next one goes on right after it.
function parsed(line: string): AuditEvent[] {
  try {
    return [JSON.parse(line) as AuditEvent];
  } catch {
    return [];
  }
}
