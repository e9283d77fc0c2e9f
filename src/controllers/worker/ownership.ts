import type { KubeObject } from '../../api/resource.ts';
import type { PatchStep } from '../../kube/client.ts';
import { asObject, asObjects } from './loose.ts';
import { MANAGER } from './names.ts';

/**
 * The patch that makes the fields which we wrote by POST ours as if we had
 * applied them; undefined where that is done. Without it they would belong to
 * "us, by update" for ever, and what the user removes from the template, an
 * environment variable say, would never leave the Deployment.
 */
export function takeOwnership({ metadata }: KubeObject): PatchStep[] | undefined {
  const managers = asObjects(asObject(metadata)['managedFields']);
  const ours = (operation: string) =>
    managers.findIndex((one) => one['manager'] === MANAGER && one['operation'] === operation && !one['subresource']);
  const created = ours('Update');
  if (created < 0 || ours('Apply') >= 0) return undefined;
  return [
    { op: 'replace', path: `/metadata/managedFields/${created}/operation`, value: 'Apply' },
    { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
  ];
}
