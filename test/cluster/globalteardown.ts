import './globalsetup.ts';

/** Jest's hook after the last test file. What it does not get to do, the cluster's guardian does. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.removeSharedCluster?.();
}
