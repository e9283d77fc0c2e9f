import { readdirSync, readFileSync } from 'node:fs';

/** A process that cannot be taken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and its start, as the kernel prints them. */
  readonly startTicks: string;
}

/** The identity of a live process; undefined when there is none of that number, or only its zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const fields = statOf(pid);
  const startTicks = fields?.[19];
  if (startTicks === undefined || fields?.[0] === 'X' || (fields?.[0] === 'Z' && !hasThreads(pid))) return undefined;
  return { pid, startTicks };
}

/** Of a killed process the first thread may be a zombie while others still end, and hold its ports and files until then. */
function hasThreads(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/** This very process. */
export function ownIdentity(): ProcessIdentity {
  const identity = identityOf(process.pid);
  if (identity === undefined) throw new Error('Could not read /proc/self/stat: the local cluster runs on Linux only');
  return identity;
}

/** Whether exactly that process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startTicks === identity.startTicks;
}

// The second field, the program's name, may hold blanks and brackets: what follows its last bracket starts at the state.
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
