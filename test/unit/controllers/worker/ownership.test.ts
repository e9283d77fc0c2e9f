import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../../../src/api/resource.ts';
import { desiredBudget } from '../../../../src/controllers/worker/budget.ts';
import { takeOwnership } from '../../../../src/controllers/worker/ownership.ts';
import { aWorker } from '../../../builders/worker.ts';

const managed = (...managedFields: readonly object[]) =>
  ({ metadata: { name: 'gpu-pool', uid: 'd-1', resourceVersion: '7', managedFields } }) as KubeObject;

const by = (manager: string, operation: string, subresource?: string) => ({
  ...{ manager, operation },
  ...(subresource && { subresource }),
});

describe('the fields of an object that was created', () => {
  it('are made ours as if they had been applied', () => {
    const object = managed(by('kube-controller-manager', 'Update', 'status'), by('aiworkflow-operator', 'Update'));
    expect(takeOwnership(object)).toEqual([
      { op: 'replace', path: '/metadata/managedFields/1/operation', value: 'Apply' },
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
    ]);
  });

  it.each([
    ['that were applied already', managed(by('aiworkflow-operator', 'Update'), by('aiworkflow-operator', 'Apply'))],
    ['of somebody else', managed(by('kubectl-create', 'Update'))],
    ['of a subresource', managed(by('aiworkflow-operator', 'Update', 'scale'))],
    ['that nobody owns', managed()],
    ['of which nothing is said', { metadata: { name: 'gpu-pool', uid: 'd-1', resourceVersion: '7' } }],
  ])('stay as they are %s', (_, object) => expect(takeOwnership(object)).toBeUndefined());
});

it('a budget lets drains take one pod at a time, and broken ones at any time, whatever Deployment they are of', () => {
  expect(desiredBudget(aWorker())).toEqual({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name: 'gpu-pool',
      namespace: 'team-a',
      labels: { 'aiworkflow.dev/worker': 'gpu-pool', 'app.kubernetes.io/managed-by': 'aiworkflow-operator' },
      ownerReferences: [
        {
          apiVersion: 'aiworkflow.dev/v1alpha1',
          kind: 'Worker',
          name: 'gpu-pool',
          uid: 'w-1',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { 'aiworkflow.dev/worker': 'gpu-pool' } },
    },
  });
});
