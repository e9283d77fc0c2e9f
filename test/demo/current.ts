import { exampleImage } from '../builders/images.ts';
import { toolsFor } from '../builders/tools.ts';
import type { Tools } from '../builders/tools.ts';
import { demoNamespace, examplePool, imageValues, operatorNamespace } from './stage.ts';
import type { Edits, Stage } from './stage.ts';

/** What the user says of a cluster of his own. */
export interface CurrentOptions {
  readonly operatorImage?: string;
  readonly workerImage?: string;
  readonly temporalAddress?: string;
}

const needs = `CLUSTER=current installs the operator on the cluster of your KUBECONFIG. It builds no image and no cluster. You provide:
  OPERATOR_IMAGE    an image of this operator that your nodes can pull (deploy/Dockerfile)
  WORKER_IMAGE      an image of examples/python-inference that they can pull (build-context.sh, Dockerfile)
  TEMPORAL_ADDRESS  host:port of a Temporal that pods reach; without it the chart's dev server is installed
  a node with nvidia.com/gpu, and the rights of a cluster administrator`;

const exampleAddress = 'temporal-frontend.temporal:7233';

/** The cluster of the user's KUBECONFIG. Fails, with all that is needed, where something is not provided. */
export async function currentStage({ operatorImage, workerImage, temporalAddress }: CurrentOptions): Promise<Stage> {
  if (operatorImage === undefined || workerImage === undefined) throw new Error(needs);
  const tools = await toolsFor();
  await checkGpus(tools);
  const hasOwn = temporalAddress !== undefined && temporalAddress !== '';
  const address = hasOwn ? temporalAddress : `temporal-frontend.${operatorNamespace}:7233`;
  const edits = editsFor({ [exampleImage]: workerImage, [exampleAddress]: address });
  return {
    tools,
    values: { ...imageValues(operatorImage), ...(!hasOwn && { 'temporal.devServer.enabled': 'true' }) },
    pool: await examplePool(edits),
    changes: Object.entries(edits).map(([from, to]) => `examples/python-inference/pool.yaml with ${to} for ${from}`),
    howToGoOn: [
      `The operator stays installed in namespace ${operatorNamespace}, the example in ${demoNamespace}.`,
      `Temporal is at ${address}, as pods see it.`,
      'To remove both: make demo-down CLUSTER=current',
    ],
    close: () => undefined,
  };
}

function editsFor(wanted: Edits): Edits {
  return Object.fromEntries(Object.entries(wanted).filter(([from, to]) => from !== to));
}

async function checkGpus({ kubectl }: Tools): Promise<void> {
  const gpus = await kubectl(['get', 'nodes', `--output=jsonpath={.items[*].status.allocatable.nvidia\\.com/gpu}`]);
  if (gpus.split(/\s+/).some((count) => Number(count) > 0)) return;
  throw new Error(`No node of this cluster has nvidia.com/gpu, so the example's pod could not run.\n\n${needs}`);
}

/** Removes what the demo put into the user's cluster. The CRDs stay: others may use them. */
export async function leaveCurrent(): Promise<void> {
  const { kubectl, helm } = await toolsFor();
  await kubectl(['delete', 'namespace', demoNamespace, '--ignore-not-found']);
  for (const release of ['aiworkflow', 'aiworkflow-crds']) {
    await helm(['uninstall', release, '--namespace', operatorNamespace, '--ignore-not-found', '--wait']);
  }
  await kubectl(['delete', 'namespace', operatorNamespace, '--ignore-not-found']);
  console.log('The CRDs stay. To remove them and all of their kinds in the whole cluster:');
  console.log('  kubectl delete crd --selector app.kubernetes.io/part-of=aiworkflow');
}
