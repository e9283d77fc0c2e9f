import { describe, expect, it } from '@jest/globals';
import { OperatorError } from '../../../src/errors.ts';
import { refused, sentence, unanswered, watchError } from '../../../src/kube/errors.ts';
import { Expired } from '../../../src/runtime/ports.ts';

const status = (reason: string, message: string, more: object = {}) =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, ...more });
const cause = (reason: string, field = '') => ({ details: { causes: [{ reason, field }] } });

describe('what the API server refuses', () => {
  it.each<[number, string, string, unknown]>([
    [400, status('BadRequest', 'the body is bad'), 'KubernetesRejected', 'never'],
    [401, status('Unauthorized', 'Unauthorized'), 'KubernetesForbidden', 'backoff'],
    [403, status('Forbidden', 'workers is forbidden'), 'KubernetesForbidden', 'backoff'],
    [404, status('NotFound', 'workers "a" not found'), 'NotFound', 'backoff'],
    [408, status('Timeout', 'late'), 'KubernetesUnavailable', 'backoff'],
    [409, status('Conflict', 'the object has been modified'), 'Conflict', 'conflict'],
    [409, status('AlreadyExists', 'already exists'), 'AlreadyExists', 'never'],
    [409, status('Conflict', 'owned by kubectl', cause('FieldManagerConflict')), 'KubernetesRejected', 'backoff'],
    [413, '<html>too large</html>', 'TooLarge', 'never'],
    [415, status('UnsupportedMediaType', 'no'), 'KubernetesRejected', 'never'],
    [422, status('Invalid', 'spec.max: too small'), 'KubernetesRejected', 'never'],
    [422, status('Invalid', 'uid differs', cause('FieldValueInvalid', 'metadata.uid')), 'Conflict', 'conflict'],
    [429, status('TooManyRequests', 'wait'), 'KubernetesUnavailable', { afterMs: 3_000 }],
    [500, status('InternalError', 'etcdserver: request is too large'), 'TooLarge', 'never'],
    [500, status('InternalError', 'etcdserver: leader changed'), 'KubernetesUnavailable', 'backoff'],
    [503, 'upstream connect error', 'KubernetesUnavailable', 'backoff'],
  ])('%i is told as the reason and the retry that fit: %s', (code, text, reason, retry) => {
    const error = refused('patch workers.aiworkflow.dev team-a/llama', { status: code, text, retryAfterMs: 3_000 });
    expect(error).toMatchObject({ name: 'OperatorError', reason, retry });
    expect(error.message).toMatch(/^Could not patch workers.aiworkflow.dev team-a\/llama: \S/);
  });

  it('is told as too old for 410, also as a line of a watch', () => {
    const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    expect(refused('list pods', { status: 410, text: JSON.stringify(gone) })).toBeInstanceOf(Expired);
    expect(watchError('watch pods', gone)).toBeInstanceOf(Expired);
    expect(watchError('watch pods', { kind: 'Status', code: 500 })).toMatchObject({ reason: 'KubernetesUnavailable' });
    expect(watchError('watch pods', 'garbage')).toMatchObject({ reason: 'KubernetesUnavailable' });
  });

  it("is told in the server's own words, but never in those of a proxy in between", () => {
    const [said, page] = [status('Forbidden', 'no rule on workers'), '<html>proxy says: token=hunter2</html>'].map(
      (text) => refused('get pods', { status: 403, text }).message,
    );
    expect(said).toBe('Could not get pods: no rule on workers');
    expect(page).toBe('Could not get pods: the API server answered 403');
  });

  it('keeps words that change from call to call for the cause', () => {
    const error = refused('get pods', { status: 500, text: status('InternalError', 'trace 4711: broken') });
    expect([error.message, (error.cause as Error).message]).toEqual([
      'Could not get pods: the API server answered 500 InternalError',
      'trace 4711: broken',
    ]);
  });

  it('is one line of bounded length', () => {
    const evil = status('Invalid', `a\nb\r\u001b[31m\u2028c\u200b ${'ü'.repeat(5_000)}`);
    const { message } = refused('create x', { status: 422, text: evil });
    expect(message).toMatch(/^Could not create x: a b \[31m c ü+…$/);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_024);
  });
});

describe('a call without an answer', () => {
  it.each<[unknown, string]>([
    [Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6443'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new TypeError('x'), 'TypeError'],
    ['a text', 'unknown'],
    [undefined, 'unknown'],
  ])('is told in one stable word, without addresses', (thrown, word) => {
    expect(unanswered('get pods', thrown)).toMatchObject({
      ...{ reason: 'KubernetesUnavailable', retry: 'backoff', cause: thrown },
      message: `Could not get pods: the API server cannot be reached (${word})`,
    });
  });

  it('keeps an error that is ours already', () => {
    const ours = new OperatorError('LeadershipLost', 'no', { retry: 'never' });
    expect(unanswered('get pods', ours)).toBe(ours);
  });
});

it('makes one clean line of anything', () => {
  expect(sentence(' get\n pods ', '\twhy ')).toBe('Could not get pods: why');
});
