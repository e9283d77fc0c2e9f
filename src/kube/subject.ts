import type { KubeObject } from '../api/resource.ts';
import { OperatorError } from '../errors.ts';
import type { Manifest } from './client.ts';
import { resourceName, type Kind } from './kinds.ts';
import type { ObjectName } from './path.ts';
import type { Call, Verb } from './transport.ts';

/** What a call is about. */
export interface Subject {
  readonly verb: Verb;
  readonly kind: Kind<KubeObject>;
  readonly object?: ObjectName | undefined;
  readonly subresource?: string | undefined;
}

/** A call that writes. */
export interface Write extends Subject {
  readonly method: Call['method'];
  readonly path: string;
  readonly body: unknown;
  readonly contentType?: string;
  readonly isRepeatable: boolean;
}

/** For metrics, and for people: `patch workers.aiworkflow.dev/status team-a/llama`. */
export function subject({ verb, kind, object, subresource }: Subject): Pick<Call, 'verb' | 'resource' | 'what'> {
  const resource = resourceName(kind) + (subresource === undefined ? '' : `/${subresource}`);
  const name = object && (object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`);
  return { verb, resource, what: `${verb} ${resource}${name === undefined ? '' : ` ${name}`}` };
}

/** The object as the server wants it. */
export function typed({ apiVersion, kind }: Kind<KubeObject>, object: Manifest): object {
  return { ...object, apiVersion, kind };
}

/** For `catch`. */
export function nothingIfNotFound(thrown: unknown): undefined {
  if (thrown instanceof OperatorError && thrown.reason === 'NotFound') return undefined;
  throw thrown;
}
