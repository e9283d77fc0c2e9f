import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from './api.ts';
import type { Api } from './api.ts';
import type { Pod } from './podrunner-types.ts';

const retryMs = 300;

/**
 * Writes one pod's status, the latest only, one write at a time, and again until it is written: the API server may be
 * away. A pod that is gone needs no status.
 */
export class StatusWriter {
  private readonly api: Api;
  private readonly path: string;
  private readonly uid: string | undefined;
  private wanted: object | undefined;
  private writing: Promise<void> | undefined;

  constructor(api: Api, pod: Pod) {
    this.api = api;
    this.path = podPath(pod);
    this.uid = pod.metadata.uid;
  }

  /** Resolves once this status, or a later one, is written. */
  write(status: object): Promise<void> {
    this.wanted = status;
    return (this.writing ??= this.writeAll());
  }

  private async writeAll(): Promise<void> {
    while (this.wanted !== undefined) {
      const status = this.wanted;
      this.wanted = undefined;
      // The uid keeps it from a later pod of the same name.
      const body = { metadata: { uid: this.uid }, status };
      const contentType = 'application/strategic-merge-patch+json';
      await untilAnswered(() => this.api.call(`${this.path}/status`, { method: 'PATCH', contentType, body }));
    }
    // In the same breath as the check: a status wanted from now on starts a new round.
    this.writing = undefined;
  }
}

/** Removes a pod's object for good, as a kubelet does once its containers have ended. */
export async function removePod(api: Api, pod: Pod): Promise<void> {
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: 0,
    preconditions: { uid: pod.metadata.uid },
  };
  await untilAnswered(() => api.call(podPath(pod), { method: 'DELETE', body }));
}

function podPath({ metadata: { namespace = 'default', name } }: Pod): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}

async function untilAnswered(call: () => Promise<unknown>): Promise<void> {
  while (!(await isAnswered(call))) await delay(retryMs);
}

async function isAnswered(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    console.log(String(error));
    return isFinal(error);
  }
}

// Gone (404), replaced by another pod of the same name (409), or refused for what it says (422): no use to try again.
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && [404, 409, 422].includes(error.status);
}
