import { OperatorError } from '../errors.ts';
import type { LeaseRecord, LeaseStore } from '../runtime/ports.ts';
import type { KubeClient } from './client.ts';
import { leases } from './kinds.ts';
import { microTime } from './time.ts';
import type { Lease } from './types.ts';

/** Every call is given up after it: well before the Lease that it should renew runs out. */
const DEADLINE_MS = 4_000;
const WATCH_SECONDS = 60;

/** Reads and writes the Lease of that name, and keeps what others wrote on it: labels, annotations. */
export function leaseStore(
  client: KubeClient,
  lease: { readonly namespace: string; readonly name: string },
): LeaseStore {
  const options = (signal: AbortSignal) => ({ signal, deadlineMs: DEADLINE_MS });
  let latest: Lease | undefined;
  const note = (seen: Lease): LeaseRecord => recordOf((latest = seen));
  return {
    async read(signal) {
      const found = await client.find(leases, lease, options(signal));
      return found && note(found);
    },
    async create(record, signal) {
      const made = await unlessBeaten(
        client.create(leases, { metadata: lease, spec: specOf(record) }, options(signal)),
      );
      return made && note(made);
    },
    async update({ resourceVersion, ...record }, signal) {
      const known = latest?.metadata.resourceVersion === resourceVersion ? latest.metadata : {};
      const metadata = { ...known, ...lease, resourceVersion };
      const made = await unlessBeaten(client.replace(leases, { metadata, spec: specOf(record) }, options(signal)));
      return made && note(made);
    },
    async *watch(signal) {
      const { namespace, name } = lease;
      const selection = { namespace, fieldSelector: `metadata.name=${name}` };
      const watched = { ...selection, resourceVersion: '', timeoutSeconds: WATCH_SECONDS, signal };
      for await (const event of client.watch(leases, watched)) {
        if (event.type !== 'BOOKMARK') yield event.type === 'DELETED' ? undefined : note(event.object);
      }
    },
  };
}

/** False where another writer was faster, be it by deleting the Lease. */
async function unlessBeaten(writing: Promise<Lease>): Promise<Lease | false> {
  try {
    return await writing;
  } catch (thrown) {
    const beaten = ['Conflict', 'AlreadyExists', 'NotFound'];
    if (thrown instanceof OperatorError && beaten.includes(thrown.reason)) return false;
    throw thrown;
  }
}

function recordOf({ metadata, spec = {} }: Lease): LeaseRecord {
  return {
    resourceVersion: metadata.resourceVersion,
    holder: spec.holderIdentity ?? '',
    leaseDurationSeconds: spec.leaseDurationSeconds ?? 0,
    acquireTime: spec.acquireTime ?? '',
    renewTime: spec.renewTime ?? '',
    transitions: spec.leaseTransitions ?? 0,
  };
}

function specOf(record: Omit<LeaseRecord, 'resourceVersion'>): NonNullable<Lease['spec']> {
  return {
    holderIdentity: record.holder,
    leaseDurationSeconds: record.leaseDurationSeconds,
    acquireTime: microTime(record.acquireTime),
    renewTime: microTime(record.renewTime),
    leaseTransitions: record.transitions,
  };
}
