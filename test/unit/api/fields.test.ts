import { describe, expect, it } from '@jest/globals';
import { ConnectionRef, immutable, objectName, secretKeyRef, taskQueueName } from '../../../src/api/fields.ts';
import { ClusterTemporalConnection, TemporalConnection } from '../../../src/api/connection.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('a name of an object', () => {
  const schema = objectName('A name.');
  it.each(['a', 'a-b', 'a.b', '0', 'a'.repeat(253)])('is %s', (name) => expect(accepts(schema, name)).toBe(true));
  it.each(['', '-a', 'a-', '.a', 'a.', 'A', 'a_b', 'a/b', 'a b', 'é', 'a\n', 'a'.repeat(254), 1, null])(
    'is not %p',
    (name) => expect(accepts(schema, name)).toBe(false),
  );
});

describe('a reference to a key of a Secret', () => {
  const schema = secretKeyRef('A key.');
  it('has a name and a key, and knows no namespace', () => {
    expect(schema.parse({ name: 'a', key: 'tls.crt', namespace: 'elsewhere' })).toEqual({ name: 'a', key: 'tls.crt' });
  });
  it.each([{ name: 'a' }, { key: 'k' }, { name: 'a', key: '' }, { name: 'a', key: '../x' }, { name: 'b/a', key: 'k' }])(
    'is not %p',
    (value) => expect(accepts(schema, value)).toBe(false),
  );
});

describe('a reference to a connection', () => {
  it('means one of the same namespace unless it says otherwise', () => {
    expect(ConnectionRef.parse({ name: 'a' })).toEqual({ kind: 'TemporalConnection', name: 'a' });
  });
  it.each([{ kind: 'Secret', name: 'a' }, {}, { name: '' }])('is not %p', (value) =>
    expect(accepts(ConnectionRef, value)).toBe(false),
  );
});

it('a task queue has a name of 1 to 1,000 characters', () => {
  expect(['', 'x', 'a b/é', 'x'.repeat(1_000), 'x'.repeat(1_001)].map((name) => accepts(taskQueueName, name))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
});

describe('an immutable field', () => {
  it('may neither change nor come nor go', () => {
    expect(immutable('taskQueue')).toEqual({
      rule: 'has(self.taskQueue) == has(oldSelf.taskQueue) && (!has(self.taskQueue) || self.taskQueue == oldSelf.taskQueue)',
      message: 'taskQueue cannot change; delete the resource and create it anew',
      fieldPath: '.taskQueue',
      reason: 'FieldValueForbidden',
    });
  });
  it('that CEL has a word of its own for is written as CEL wants it', () => {
    expect(immutable('namespace')).toMatchObject({
      rule: expect.stringContaining('self.__namespace__ == oldSelf.__namespace__'),
      fieldPath: '.namespace',
    });
  });
});

describe('a connection', () => {
  const spec = (extra: object) => ({ address: 'temporal:7233', ...extra });

  it('has defaults for all but the address', () => {
    expect(TemporalConnection.spec.parse({ address: 'temporal:7233', tls: {}, allowed: {} })).toEqual({
      address: 'temporal:7233',
      namespace: 'default',
      tls: { enabled: true },
      allowed: { taskQueues: [], workflowTypes: [] },
    });
  });

  it.each(['temporal:7233', '[::1]:7233', '10.0.0.1:1', 'a.b.c:65535'])('has the address %s', (address) =>
    expect(accepts(TemporalConnection.spec, { address })).toBe(true),
  );

  it.each([
    '',
    'temporal',
    ':7233',
    'http://temporal:7233',
    'user:pw@temporal:7233',
    'temporal :7233',
    'temporal:123456',
  ])('has not the address %p', (address) => expect(accepts(TemporalConnection.spec, { address })).toBe(false));

  it.each([
    ['uiUrl', 'javascript:alert(1)'],
    ['uiUrl', `https://${'x'.repeat(1_000)}`],
    ['namespace', ''],
    ['apiKeySecretRef', { name: 'a' }],
    ['tls', { serverName: '' }],
    ['allowed', { taskQueues: [''] }],
    ['allowed', { workflowTypes: Array(65).fill('x') }],
  ])('has not the %s %p', (field, value) =>
    expect(accepts(TemporalConnection.spec, spec({ [field]: value }))).toBe(false),
  );

  it('of the cluster allows no namespace unless it says so', () => {
    expect(ClusterTemporalConnection.spec.parse(spec({}))).not.toHaveProperty('allowedNamespaces');
    expect(ClusterTemporalConnection.spec.parse(spec({ allowedNamespaces: {} }))).toMatchObject({
      allowedNamespaces: { names: [] },
    });
  });
});
