import * as z from 'zod';

const port = z.coerce.number().int().min(0).max(65535);
const count = (max: number) => z.coerce.number().int().min(1).max(max);
const label = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'must be a DNS label: lower-case letters, digits and dashes, at most 63',
  );

/**
 * Every setting of the operator. `clusterName` is read from `--cluster-name`,
 * else from AIWORKFLOW_CLUSTER_NAME, else it has its default; so for all.
 */
export const Config = z.object({
  clusterName: label
    .default('default')
    .describe(
      'Name of this Kubernetes cluster in workflow IDs; kept when the cluster is moved. Clusters that share a Temporal namespace need different ones.',
    ),
  namespaces: z.string().default('').describe('Namespaces to serve, separated by commas; all unless given.'),
  kubeconfig: z
    .string()
    .default('')
    .describe('Path of a kubeconfig; the in-cluster ServiceAccount, else KUBECONFIG, unless given.'),
  leaseName: z
    .string()
    .min(1)
    .max(253)
    .default('aiworkflow-operator')
    .describe('Name of the Lease that elects the leader.'),
  podName: z.string().min(1).max(253).default('aiworkflow-operator').describe('Name of this pod; also from POD_NAME.'),
  podNamespace: z
    .string()
    .min(1)
    .max(63)
    .default('aiworkflow-system')
    .describe("The operator's own namespace; also from POD_NAMESPACE."),
  podUid: z
    .string()
    .max(64)
    .default('')
    .describe('UID of this pod, part of its identity as leader; also from POD_UID.'),
  serviceAccount: z
    .string()
    .min(1)
    .max(253)
    .default('aiworkflow-operator')
    .describe(
      "Name of the operator's ServiceAccount, for the commands that conditions suggest; also from POD_SERVICE_ACCOUNT.",
    ),
  concurrency: count(1000)
    .default(32)
    .describe('Passes in flight, for each kind. A pass is mostly waiting for Temporal.'),
  healthPort: port.default(8081).describe('Port of /healthz and /readyz; 0 picks a free one.'),
  metricsPort: port.default(8080).describe('Port of /metrics; 0 picks a free one.'),
  bindAddress: z.string().default('0.0.0.0').describe('Address that both ports are bound to.'),
  temporalCallsPerSecond: count(10000)
    .default(200)
    .describe('Calls to Temporal per second and Temporal namespace, at most.'),
  workerMetrics: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether /metrics shows figures of every Worker: six series for each.'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least severity that is logged.'),
  logFormat: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('Format of the log; auto is pretty on a terminal, else JSON.'),
});
export type Config = z.output<typeof Config>;

/** Where a setting is read from besides its flag; the downward API's usual names count too. */
export function environmentName(setting: string): string {
  return `AIWORKFLOW_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

const podVariables: Readonly<Record<string, string>> = {
  podName: 'POD_NAME',
  podNamespace: 'POD_NAMESPACE',
  podUid: 'POD_UID',
  serviceAccount: 'POD_SERVICE_ACCOUNT',
};

/** Flags first, then the environment, then defaults. Throws with every mistake at once: a pod should fail fast, and for all its reasons. */
export function loadConfig(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const given = Object.keys(Config.shape).flatMap((setting) => {
    const value = flags[setting] ?? environment[environmentName(setting)] ?? environment[podVariables[setting] ?? ''];
    return value === undefined ? [] : [[setting, value]];
  });
  const result = Config.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  throw new Error(`Bad configuration\n${z.prettifyError(result.error)}`);
}

/** The namespaces to serve; undefined means all. */
export function servedNamespaces({ namespaces }: Config): readonly string[] | undefined {
  const names = namespaces
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return names.length === 0 ? undefined : names;
}
