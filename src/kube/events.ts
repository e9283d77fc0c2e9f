import { randomBytes } from 'node:crypto';
import { boundBytes } from '../api/conditions.ts';
import type { EventRecord, EventSink } from '../runtime/ports.ts';
import type { KubeClient } from './client.ts';
import { events } from './kinds.ts';
import { microTime } from './time.ts';

/** Who reports, and where Events about objects without a namespace go. */
export interface Reporter {
  /** E.g. `aiworkflow.dev/operator`. */
  readonly reportingController: string;
  /** E.g. the pod's name. */
  readonly reportingInstance: string;
  /** The API server takes none but `default` and `kube-system`; `default` unless given. */
  readonly fallbackNamespace?: string;
}

/** Limits of the API server, in bytes. */
const MAX = { note: 1024, word: 128, objectName: 230 } as const;
/** Events are not worth waiting for. */
const DEADLINE_MS = 5_000;

/** Writes Events of `events.k8s.io/v1`, next to what they are about. */
export function eventSink(client: KubeClient, reporter: Reporter): EventSink {
  const namespaceOf = ({ regarding }: EventRecord) => regarding.namespace ?? reporter.fallbackNamespace ?? 'default';
  return {
    async create(event, at) {
      // Two instances, or one that was restarted, must not choose the same name.
      const about = event.regarding.name.slice(0, MAX.objectName).replace(/[-.]+$/, '');
      const name = `${about}.${randomBytes(8).toString('hex')}`;
      const manifest = { metadata: { name, namespace: namespaceOf(event) }, ...fieldsOf(event, reporter, at) };
      await client.create(events, manifest, { deadlineMs: DEADLINE_MS });
      return { name };
    },
    async repeat(name, event, { count, lastObservedTime }) {
      const series = { count, lastObservedTime: microTime(lastObservedTime) };
      await client.patchMerge(events, { name, namespace: namespaceOf(event) }, { series }, { deadlineMs: DEADLINE_MS });
    },
  };
}

function fieldsOf({ regarding, type, reason, action, note }: EventRecord, reporter: Reporter, at: Date): object {
  return {
    regarding,
    type,
    reason: boundBytes(reason, MAX.word),
    action: boundBytes(action, MAX.word),
    note: boundBytes(note, MAX.note),
    eventTime: microTime(at),
    reportingController: reporter.reportingController,
    reportingInstance: boundBytes(reporter.reportingInstance, MAX.word),
  };
}
