import { MAX_WORKFLOW_ID_BYTES, type AIWorkflow, type AIWorkflowSpec } from '../../api/aiworkflow.ts';
import type { Reason } from '../../api/reasons.ts';

/** Memo keys of every start; they travel along a chain, so any run of it tells whose it is. */
export const MEMO_UID = 'aiworkflow.dev/uid';
export const MEMO_RESOURCE = 'aiworkflow.dev/resource';

/** What makes a run ours. */
export interface Identity {
  readonly uid: string;
  /** `<clusterName>/<namespace>/<name>`. */
  readonly resource: string;
  readonly workflowID: string;
}

/** The identity of the run of `resource`; the same for ever, whatever happened before. */
export function identityOf({ metadata, spec }: AIWorkflow, clusterName: string): Identity {
  const resource = `${clusterName}/${metadata.namespace ?? ''}/${metadata.name}`;
  return { uid: metadata.uid, resource, workflowID: spec.workflowID ?? resource };
}

/** Why a namespace may not use a workflow ID, as a sentence; undefined where it may. */
export function workflowIDProblem(
  { workflowID }: Identity,
  where: { readonly clusterName: string; readonly namespace: string; readonly isShared: boolean },
): { readonly reason: Reason; readonly message: string } | undefined {
  const bytes = new TextEncoder().encode(workflowID).length;
  if (bytes > MAX_WORKFLOW_ID_BYTES) {
    return {
      reason: 'InvalidSpec',
      message: `spec.workflowID: ${bytes} bytes are more than Temporal's ${MAX_WORKFLOW_ID_BYTES}`,
    };
  }
  const own = `${where.clusterName}/${where.namespace}/`;
  // IDs below the cluster's name belong to its namespaces, through whatever connection they are reached.
  const isSomebodysOwn = where.isShared || workflowID.startsWith(`${where.clusterName}/`);
  if (!isSomebodysOwn || workflowID.startsWith(own)) return undefined;
  return {
    reason: 'WorkflowIDForbidden',
    message: `spec.workflowID: from this namespace ${where.isShared ? 'and a ClusterTemporalConnection ' : ''}it must start with ${own}`,
  };
}

/** What the description of a run says of whose it is and where it stands. */
export interface ExistingRun {
  readonly runID: string;
  readonly firstRunID: string;
  readonly isLive: boolean;
  /** The latest run of the chain completed; only read when closed. */
  readonly succeeded: boolean;
  readonly uid?: string | undefined;
  readonly resource?: string | undefined;
  readonly requestIDs: readonly string[];
}

/** Whether a run is the one that this very resource started or attached to. */
export function isOurs(run: ExistingRun, identity: Identity): boolean {
  return run.uid === identity.uid || run.requestIDs.includes(identity.uid);
}

/** What to do about a run that exists under our workflow ID. */
export type Claim =
  | { readonly decision: 'adopt' }
  | { readonly decision: 'attach' }
  | { readonly decision: 'startAgain'; readonly reusePolicy: 'AllowDuplicate' | 'AllowDuplicateFailedOnly' }
  | { readonly decision: 'refuse'; readonly message: string };

/**
 * The ownership rules: ours is taken over, live or closed; a foreign one is
 * refused, attached to, started over or projected, as the policies say. Taking
 * over what is foreign needs a sign that we may: it carries our resource's
 * name, or the connection (and so its credentials) is of our own namespace.
 */
export function claim(
  run: ExistingRun,
  identity: Identity,
  policies: Pick<AIWorkflowSpec, 'idConflictPolicy' | 'idReusePolicy'>,
  isShared: boolean,
): Claim {
  if (isOurs(run, identity)) return { decision: 'adopt' };
  const mayTakeOver = run.resource === identity.resource || !isShared;
  return run.isLive ? ofLive(policies, mayTakeOver) : ofClosed(run, policies, mayTakeOver);
}

function ofLive({ idConflictPolicy }: Pick<AIWorkflowSpec, 'idConflictPolicy'>, mayTakeOver: boolean): Claim {
  if (idConflictPolicy === 'Fail') {
    return refuse(
      'has a live run that is not ours; end it, or create this resource anew with idConflictPolicy: UseExisting',
    );
  }
  return mayTakeOver ? { decision: 'attach' } : refuse('has a live run of somebody else');
}

function ofClosed(
  run: ExistingRun,
  { idReusePolicy }: Pick<AIWorkflowSpec, 'idReusePolicy'>,
  mayTakeOver: boolean,
): Claim {
  if (idReusePolicy === 'AllowDuplicate') return { decision: 'startAgain', reusePolicy: 'AllowDuplicate' };
  if (idReusePolicy === 'AllowDuplicateFailedOnly' && !run.succeeded) {
    return { decision: 'startAgain', reusePolicy: 'AllowDuplicateFailedOnly' };
  }
  return mayTakeOver
    ? { decision: 'adopt' }
    : refuse('has a closed run of somebody else, whose outcome may not be read');
}

const refuse = (what: string): Claim => ({ decision: 'refuse', message: `The workflow ID ${what}` });
