import { ApiError } from '../../cluster/api.ts';
import type { Api, ApiCall } from '../../cluster/api.ts';

/** A request on one of our kinds, wherever it is sent: `at` is a collection or an object in it. */
export interface Request extends ApiCall {
  readonly at: string;
  readonly query?: string;
}

/** An object that is not there yet, and the collection it belongs to. */
export interface Draft {
  readonly plural: string;
  readonly body: { readonly kind: string; readonly metadata: { readonly name: string }; readonly spec: object };
}

const apiVersion = 'aiworkflow.dev/v1alpha1';

export function connection(spec: object, name = 'new'): Draft {
  const body = { kind: 'TemporalConnection', metadata: { name }, spec: { address: 'temporal:7233', ...spec } };
  return { plural: 'temporalconnections', body };
}

export function clusterConnection(spec: object, name = 'new'): Draft {
  const { body } = connection(spec, name);
  return { plural: 'clustertemporalconnections', body: { ...body, kind: 'ClusterTemporalConnection' } };
}

export function worker(spec: object, name = 'new'): Draft {
  const body = { kind: 'Worker', metadata: { name }, spec: { taskQueue: 'q', template: template('a'), ...spec } };
  return { plural: 'workers', body };
}

export function run(workflow: object, name = 'new'): Draft {
  const spec = { workflow: { type: 'T', taskQueue: 'q', ...workflow } };
  return { plural: 'aiworkflows', body: { kind: 'AIWorkflow', metadata: { name }, spec } };
}

export function template(image: string): object {
  return { spec: { containers: [{ name: 'worker', image }] } };
}

/** One key of the Secret (or whatever) of that name. */
export function key(name: string): object {
  return { name, key: 'value' };
}

export function create({ plural, body }: Draft): Request {
  return { at: plural, method: 'POST', body: { apiVersion, ...body } };
}

export function apply({ plural, body }: Draft): Request {
  return {
    at: `${plural}/${body.metadata.name}`,
    query: 'fieldManager=tenant&force=true',
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion, ...body },
  };
}

export function patch(at: string, body: object): Request {
  return { at, method: 'PATCH', body };
}

/** Sends it and returns the server's refusal, or `allowed`. By default nothing is stored: requests stay independent. */
export async function send(
  api: Api,
  namespace: string,
  { at, query = '', ...call }: Request,
  dryRun = true,
): Promise<'allowed' | { readonly status: number; readonly message: string }> {
  const scope = at.startsWith('cluster') ? '' : `/namespaces/${namespace}`;
  try {
    await api.call(`/apis/${apiVersion}${scope}/${at}?${query}${dryRun ? '&dryRun=All' : ''}`, call);
    return 'allowed';
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, message: error.message };
    throw error;
  }
}
