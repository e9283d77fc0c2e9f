/** A launcher for others to kill: starts a cluster of the given mode and name, says so, and lives on. */
import { launch } from '../../cluster/launch.ts';
import type { ClusterMode } from '../../cluster/state.ts';

const [mode = 'loopback', instance = ''] = process.argv.slice(2);
await launch({ mode: mode as ClusterMode, instance });
process.stdout.write('up\n');
setInterval(() => undefined, 1_000);
