import { launch } from './launch.ts';
import { sharedClusterVariable } from './shared.ts';

/** Jest's hook before the first test file: one cluster for all of them, unless the caller names one that is up. */
export default async function globalSetup(): Promise<void> {
  if (process.env[sharedClusterVariable] !== undefined) return;
  const cluster = await launch();
  process.env[sharedClusterVariable] = cluster.state.instance;
  globalThis.removeSharedCluster = () => cluster.remove();
}

declare global {
  var removeSharedCluster: (() => Promise<void>) | undefined;
}
