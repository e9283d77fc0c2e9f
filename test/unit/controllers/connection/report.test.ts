import { describe, expect, it } from '@jest/globals';
import { TemporalConnection } from '../../../../src/api/connection.ts';
import type { Condition } from '../../../../src/api/conditions.ts';
import { reportConnection } from '../../../../src/controllers/connection/report.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { aConnection, aServer } from '../../../builders/connection.ts';

const NOW = new Date('2026-01-01T12:00:00.000Z');

const condition = (type: string, status: Condition['status'], reason: string, message: string): Condition => ({
  type,
  status,
  reason,
  message,
  observedGeneration: 1,
  lastTransitionTime: NOW.toISOString(),
});

const accepted = condition('Accepted', 'True', 'Reconciled', 'The spec is valid and its references resolve');
const hour = 3_600_000;

describe('the status of a connection', () => {
  it('that works says what is there', () => {
    const status = reportConnection(aConnection(), { observed: { server: aServer }, applied: [] }, NOW);
    expect(status).toEqual({
      observedGeneration: 1,
      serverVersion: '1.32.0',
      clusterID: 'cluster-1',
      capabilities: ['workerHeartbeats', 'workflowPause'],
      retention: '72h',
      conditions: [accepted, condition('Ready', 'True', 'Connected', 'Temporal 1.32.0 answers')],
    });
    expect(TemporalConnection.status.parse(status)).toEqual(status);
  });

  it.each([
    [24 * hour, 'Temporal 1.32.0 answers'],
    [
      24 * hour - 1_000,
      'Temporal 1.32.0 answers; closed runs are kept for 23h59m59s only: an operator away for longer cannot tell their outcome',
    ],
    [undefined, 'Temporal 1.32.0 answers'],
  ])('warns of a retention of %p ms', (retentionMs, message) => {
    const server = { ...aServer, retentionMs };
    const { conditions } = reportConnection(aConnection(), { observed: { server }, applied: [] }, NOW);
    expect(conditions).toEqual([accepted, condition('Ready', 'True', 'Connected', message)]);
  });

  const known = {
    serverVersion: '1.31.0',
    clusterID: 'cluster-1',
    capabilities: ['a'],
    retention: '72h',
    conditions: [condition('Ready', 'True', 'Connected', 'Temporal 1.31.0 answers')],
  };

  it.each(['TemporalUnavailable', 'TemporalUnauthenticated', 'TemporalNamespaceNotFound'] as const)(
    'that fails with %s says why, keeps what was known, and goes on by itself',
    (reason) => {
      const error = new OperatorError(reason, 'Could not reach Temporal: words', { retry: 'backoff' });
      const why = [reason, 'Could not reach Temporal: words'] as const;
      expect(reportConnection(aConnection({ status: known }), { applied: [], error }, NOW)).toEqual({
        ...known,
        observedGeneration: 1,
        conditions: [accepted, condition('Ready', 'False', ...why), condition('Reconciling', 'True', ...why)],
      });
    },
  );

  it.each(['SecretNotFound', 'SecretForbidden', 'SecretInvalid'] as const)(
    'that fails with %s is not accepted, for a reference does not resolve, and not stalled, for it may yet',
    (reason) => {
      const error = new OperatorError(reason, 'Secret s: words', { retry: 'backoff' });
      const why = [reason, 'Secret s: words'] as const;
      const { conditions } = reportConnection(aConnection({ status: known }), { applied: [], error }, NOW);
      expect(conditions).toEqual([
        condition('Accepted', 'False', ...why),
        condition('Ready', 'False', ...why),
        condition('Reconciling', 'True', ...why),
      ]);
    },
  );

  it('that was ready keeps the time of that', () => {
    const earlier = '2026-01-01T11:00:00.000Z';
    const conditions = [
      { ...condition('Ready', 'True', 'Connected', 'Temporal 1.31.0 answers'), lastTransitionTime: earlier },
    ];
    const outcome = { observed: { server: aServer }, applied: [] };
    expect(reportConnection(aConnection({ status: { conditions } }), outcome, NOW).conditions?.[1]).toEqual({
      ...condition('Ready', 'True', 'Connected', 'Temporal 1.32.0 answers'),
      lastTransitionTime: earlier,
    });
  });

  it('whose spec cannot be used is stalled, whatever else is wrong', () => {
    const problem = 'spec.address: must be host:port';
    const error = new OperatorError('InvalidSpec', problem, { retry: 'never' });
    const { conditions } = reportConnection({ ...aConnection(), problem }, { applied: [], error }, NOW);
    expect(conditions).toEqual([
      condition('Accepted', 'False', 'InvalidSpec', problem),
      condition('Ready', 'False', 'InvalidSpec', problem),
      condition('Stalled', 'True', 'InvalidSpec', problem),
    ]);
  });

  it('of a server that tells nothing of itself is ready all the same', () => {
    const server = { serverVersion: '', clusterID: '', capabilities: [] };
    const status = reportConnection(aConnection(), { observed: { server }, applied: [] }, NOW);
    expect(status).toEqual({
      observedGeneration: 1,
      serverVersion: '',
      clusterID: '',
      capabilities: [],
      conditions: [accepted, condition('Ready', 'True', 'Connected', 'Temporal answers')],
    });
  });
});
