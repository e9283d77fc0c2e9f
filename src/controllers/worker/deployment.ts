import { createHash } from 'node:crypto';
import { GROUP, VERSION, type OwnerReference } from '../../api/resource.ts';
import type { Worker } from '../../api/worker.ts';
import type { PodConnection } from './credentials.ts';
import { graceSeconds, withEnvironment } from './environment.ts';
import { withGpus } from './gpus.ts';
import { asObject, withoutNulls, type Loose } from './loose.ts';
import {
  BACKLOG_REPLICAS_ANNOTATION,
  HASH_ANNOTATION,
  MANAGER,
  POOL_LABEL,
  TEMPLATE_ANNOTATION,
  WORKER_LABEL,
} from './names.ts';
import { withSecurity } from './security.ts';

/** After its grace period an activity is cancelled and gets a few seconds to end; then the container is killed. */
const MARGIN_SECONDS = 10;
/** Longer than the default: pulling an image with a model in it takes its time. */
const PROGRESS_DEADLINE_SECONDS = 1800;
const REVISIONS = 3;

/** The Deployment of a Worker as we write it: all of it but the number of replicas. */
export interface DesiredDeployment {
  readonly manifest: Loose & { readonly metadata: Loose; readonly spec: Loose };
  /** Hash of the pod template; the pods carry it. */
  readonly templateHash: string;
  /** Hash of all of the manifest. */
  readonly hash: string;
}

/**
 * The Deployment that a Worker should have. `isSizeKept`: it left the mode
 * Backlog, and nobody has asked for another size since.
 * Throws InvalidSpec where the template is nested beyond reason.
 */
export function desiredDeployment(worker: Worker, connection: PodConnection, isSizeKept: boolean): DesiredDeployment {
  const template = podTemplate(worker, connection);
  const templateHash = hashOf(template);
  const metadata = asObject(template['metadata']);
  const annotations = { ...asObject(metadata['annotations']), [TEMPLATE_ANNOTATION]: templateHash };
  const manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...ownedMetadata(worker),
      ...((worker.spec.scaling.mode === 'Backlog' || isSizeKept) && {
        annotations: { [BACKLOG_REPLICAS_ANNOTATION]: String(worker.spec.replicas) },
      }),
    },
    spec: {
      selector: { matchLabels: podLabels(worker) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
      revisionHistoryLimit: REVISIONS,
      template: { ...template, metadata: { ...metadata, annotations } },
    },
  };
  const hash = hashOf(manifest);
  return { manifest: annotated(manifest, hash), templateHash, hash };
}

/** Labels that select the pods of a Worker's Deployment; the user's never do. */
function podLabels({ metadata }: Worker): Readonly<Record<string, string>> {
  return { [WORKER_LABEL]: metadata.name, [POOL_LABEL]: metadata.name };
}

/** Name, labels and owner of what belongs to a Worker. */
export function ownedMetadata({ metadata }: Worker): Loose {
  const { name, namespace, uid } = metadata;
  const owner: OwnerReference = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: 'Worker',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const labels = { [WORKER_LABEL]: name, 'app.kubernetes.io/managed-by': MANAGER };
  return { name, namespace, labels, ownerReferences: [owner] };
}

function podTemplate(worker: Worker, connection: PodConnection): Loose {
  const { spec } = worker;
  const given = asObject(withoutNulls(spec.template));
  const metadata = asObject(given['metadata']);
  const podSpec = withSecurity(withEnvironment(withGpus(asObject(given['spec']), spec), spec, connection));
  return {
    ...given,
    metadata: { ...metadata, labels: { ...asObject(metadata['labels']), ...podLabels(worker) } },
    spec: { ...podSpec, terminationGracePeriodSeconds: Math.ceil(graceSeconds(spec)) + MARGIN_SECONDS },
  };
}

function annotated(manifest: DesiredDeployment['manifest'], hash: string): DesiredDeployment['manifest'] {
  const annotations = { ...asObject(manifest.metadata['annotations']), [HASH_ANNOTATION]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

/** Of the content, not of the order of members: an edit that only reorders rolls nothing. */
function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sorted)).digest('hex').slice(0, 16);
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
