import { GROUP } from '../../api/resource.ts';

/** The Worker a pod belongs to; selects all its pods, whatever Deployment they are of. */
export const WORKER_LABEL = `${GROUP}/worker`;
/** The Deployment a pod belongs to. */
export const POOL_LABEL = `${GROUP}/pool`;
/** On the Deployment: hash of all of it that we write, the number of replicas aside. */
export const HASH_ANNOTATION = `${GROUP}/hash`;
/** On the pods: hash of the template they were made from. */
export const TEMPLATE_ANNOTATION = `${GROUP}/template`;
/** On the Deployment while the mode is Backlog: `spec.replicas` of the Worker, so that leaving the mode keeps the size until it changes. */
export const BACKLOG_REPLICAS_ANNOTATION = `${GROUP}/backlog-replicas`;

/** The container that gets the environment of the worker contract, else the first. */
export const WORKER_CONTAINER = 'worker';

/** What the operator is called as the manager of fields, and in managed-by labels. */
export const MANAGER = 'aiworkflow-operator';
