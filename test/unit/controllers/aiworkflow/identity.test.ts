import { describe, expect, it } from '@jest/globals';
import {
  claim,
  identityOf,
  workflowIDProblem,
  type ExistingRun,
} from '../../../../src/controllers/aiworkflow/identity.ts';
import { anAIWorkflow } from '../../../builders/aiworkflow.ts';

const identity = { uid: 'u-1', resource: 'default/team-a/summarize', workflowID: 'default/team-a/summarize' };
const theirs: ExistingRun = {
  runID: 'r-9',
  firstRunID: 'r-9',
  isLive: true,
  succeeded: false,
  uid: 'u-9',
  requestIDs: ['u-9'],
};
const fail = { idConflictPolicy: 'Fail', idReusePolicy: 'AllowDuplicate' } as const;

it('names the run after cluster, namespace and resource', () => {
  expect(identityOf(anAIWorkflow(), 'default')).toEqual(identity);
  expect(identityOf(anAIWorkflow({ spec: { workflowID: 'mine' } }), 'default').workflowID).toBe('mine');
});

describe('claim', () => {
  const closed = { ...theirs, isLive: false };
  it.each([
    ['ours by memo, live', { ...theirs, uid: 'u-1' }, fail, true, 'adopt'],
    ['ours by memo, closed', { ...closed, uid: 'u-1' }, fail, true, 'adopt'],
    ['ours by an attached request', { ...theirs, requestIDs: ['u-9', 'u-1'] }, fail, true, 'adopt'],
    ['foreign and live, Fail', theirs, fail, false, 'refuse'],
    [
      'foreign and live, UseExisting, own connection',
      theirs,
      { ...fail, idConflictPolicy: 'UseExisting' },
      false,
      'attach',
    ],
    [
      'foreign and live, UseExisting, shared connection',
      theirs,
      { ...fail, idConflictPolicy: 'UseExisting' },
      true,
      'refuse',
    ],
    [
      'an earlier resource of our name, live, shared connection',
      { ...theirs, resource: identity.resource },
      { ...fail, idConflictPolicy: 'UseExisting' },
      true,
      'attach',
    ],
    ['foreign and closed, AllowDuplicate', closed, fail, true, 'startAgain'],
    [
      'foreign and failed, AllowDuplicateFailedOnly',
      closed,
      { ...fail, idReusePolicy: 'AllowDuplicateFailedOnly' },
      false,
      'startAgain',
    ],
    [
      'foreign and succeeded, AllowDuplicateFailedOnly',
      { ...closed, succeeded: true },
      { ...fail, idReusePolicy: 'AllowDuplicateFailedOnly' },
      false,
      'adopt',
    ],
    [
      'foreign and closed, RejectDuplicate, own connection',
      closed,
      { ...fail, idReusePolicy: 'RejectDuplicate' },
      false,
      'adopt',
    ],
    [
      'foreign and closed, RejectDuplicate, shared connection',
      closed,
      { ...fail, idReusePolicy: 'RejectDuplicate' },
      true,
      'refuse',
    ],
  ] as const)('%s', (...[, run, policies, isShared, decision]) => {
    expect(claim(run, identity, policies, isShared).decision).toBe(decision);
  });
});

describe('workflowIDProblem', () => {
  const where = { clusterName: 'default', namespace: 'team-a', isShared: false };
  it.each([
    ['the default ID', 'default/team-a/summarize', where, undefined],
    ['a free ID through an own connection', 'nightly', where, undefined],
    ['a free ID through a shared connection', 'nightly', { ...where, isShared: true }, 'WorkflowIDForbidden'],
    [
      "another tenant's ID through a shared connection",
      'default/team-b/x',
      { ...where, isShared: true },
      'WorkflowIDForbidden',
    ],
    ["another tenant's ID through an own connection", 'default/team-b/x', where, 'WorkflowIDForbidden'],
    ['a tenant whose name begins like ours', 'default/team-ab/x', where, 'WorkflowIDForbidden'],
    ['more bytes than Temporal takes', 'ü'.repeat(501), where, 'InvalidSpec'],
  ])('%s', (_, workflowID, around, reason) => {
    expect(workflowIDProblem({ ...identity, workflowID }, around)?.reason).toBe(reason);
  });
});
