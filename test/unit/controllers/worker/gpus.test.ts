import { describe, expect, it } from '@jest/globals';
import { gpuResource, gpusPerPod, withGpus } from '../../../../src/controllers/worker/gpus.ts';
import { aWorker } from '../../../builders/worker.ts';

const specOf = (gpu?: object, containers: readonly object[] = [{ name: 'worker' }]) =>
  aWorker({ spec: { ...(gpu && { gpu }), template: { spec: { containers } } } }).spec;

const limits = (limits: object, name = 'worker') => ({ name, resources: { limits } });

describe('a pod with GPUs', () => {
  it('asks for them in the container of the worker alone, and keeps what it asks for besides', () => {
    const podSpec = {
      containers: [{ name: 'sidecar' }, { name: 'worker', resources: { limits: { memory: '1Gi' }, claims: [] } }],
    };
    expect(withGpus(podSpec, specOf({ count: 2 }))).toEqual({
      containers: [
        { name: 'sidecar' },
        {
          name: 'worker',
          resources: {
            limits: { memory: '1Gi', 'nvidia.com/gpu': '2' },
            requests: { 'nvidia.com/gpu': '2' },
            claims: [],
          },
        },
      ],
    });
  });

  it('goes to nodes that have them', () => {
    const toleration = { key: 'nvidia.com/gpu', operator: 'Exists' };
    const gpu = { count: 1, resource: 'amd.com/gpu', nodeSelector: { a: 'gpu', b: '2' }, tolerations: [toleration] };
    const podSpec = { containers: [], nodeSelector: { a: 'template', c: '3' }, tolerations: [{ key: 'other' }] };
    expect(withGpus(podSpec, specOf(gpu))).toEqual({
      containers: [],
      nodeSelector: { a: 'gpu', b: '2', c: '3' },
      tolerations: [{ key: 'other' }, toleration],
    });
  });

  it('tolerates each thing once, in whatever order it is said', () => {
    const gpu = { count: 1, tolerations: [{ operator: 'Exists', key: 'a' }] };
    const podSpec = { containers: [], tolerations: [{ key: 'a', operator: 'Exists' }] };
    expect(withGpus(podSpec, specOf(gpu))['tolerations']).toEqual([{ operator: 'Exists', key: 'a' }]);
  });

  it('is as the template says where spec.gpu says nothing', () => {
    const podSpec = { containers: [limits({ 'nvidia.com/gpu': 1 })] };
    expect(withGpus(podSpec, specOf())).toBe(podSpec);
  });
});

describe('the GPUs of one pod', () => {
  it.each([
    ['as spec.gpu says', specOf({ count: 4 }, [limits({ 'nvidia.com/gpu': 1 })]), 4, 'nvidia.com/gpu'],
    ['as the template asks', specOf(undefined, [limits({ 'amd.com/gpu': '2', cpu: '1' })]), 2, 'amd.com/gpu'],
    [
      'of all containers',
      specOf(undefined, [limits({ 'nvidia.com/gpu': 1 }), limits({ 'nvidia.com/gpu': '2' }, 'other')]),
      3,
      'nvidia.com/gpu',
    ],
    ['of nonsense', specOf(undefined, [limits({ 'nvidia.com/gpu': 'many' })]), 0, 'nvidia.com/gpu'],
    ['of a negative number', specOf(undefined, [limits({ 'nvidia.com/gpu': -1 })]), 0, 'nvidia.com/gpu'],
    ['of nothing', specOf(), 0, 'nvidia.com/gpu'],
  ])('%s', (_, spec, count, resource) => {
    expect([gpusPerPod(spec), gpuResource(spec)]).toEqual([count, resource]);
  });
});
