import type { KubeObject } from '../api/resource.ts';
import type { PatchStep } from './client.ts';

/**
 * Makes a patch fail with a true 409 when the object is not the version given
 * any more; a `test` step would answer 422, like a rejection by the schema.
 */
function onlyIfStill({ metadata }: KubeObject): PatchStep {
  return { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion };
}

/** Replaces the status as a whole. Unlike a merge patch it keeps nulls. */
export function statusSteps(object: KubeObject, status: unknown): readonly PatchStep[] {
  return [{ op: 'add', path: '/status', value: status }, onlyIfStill(object)];
}

/** Replaces the list of finalizers. */
export function finalizerSteps(object: KubeObject, finalizers: readonly string[]): readonly PatchStep[] {
  return [{ op: 'add', path: '/metadata/finalizers', value: finalizers }, onlyIfStill(object)];
}

/** Whether the second time of doing it would be refused if the first had been done. */
export function isGuarded(steps: readonly PatchStep[]): boolean {
  return steps.some(({ path }) => path === '/metadata/resourceVersion');
}
