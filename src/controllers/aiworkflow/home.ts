import type { AIWorkflow } from '../../api/aiworkflow.ts';
import type { Resolution } from '../connection/directory.ts';
import type { ObservedConnection } from './observed.ts';

/** A NotFound from another cluster than the run's says nothing, and must not be believed. */
export function otherCluster(
  { status }: AIWorkflow,
  { server, client }: Pick<Resolution, 'server' | 'client'>,
): Extract<ObservedConnection, { isUsable: false }> | undefined {
  const here = { clusterID: server?.clusterID, namespaceID: server?.namespaceID, namespace: client?.namespace };
  const home = status.temporal ?? {};
  if (isAtHome(home, here)) return undefined;
  const message = `the run was started on ${placeIn(home)}, and the connection leads to ${placeIn(here)}`;
  return { isUsable: false, reason: 'WrongCluster', message, needsChange: false };
}

/** Where a run belongs, or a connection leads to. */
interface Place {
  readonly clusterID?: string | undefined;
  readonly namespaceID?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Either identity will do: a key may lose the right to see the cluster's, and a namespace may fail over to another cluster. */
function isAtHome(home: Place, here: Place): boolean {
  if (home.namespaceID && home.namespaceID === here.namespaceID) return true;
  const isSame = (field: 'clusterID' | 'namespace') => home[field] === undefined || home[field] === here[field];
  return isSame('clusterID') && isSame('namespace');
}

const placeIn = ({ clusterID = '?', namespace = '?' }: Place) =>
  `Temporal cluster ${clusterID}, namespace ${namespace}`;
