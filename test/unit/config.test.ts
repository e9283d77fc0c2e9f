import { expect, it } from '@jest/globals';
import { environmentName, loadConfig, servedNamespaces } from '../../src/config.ts';

it('prefers flags to the environment and the environment to defaults', () => {
  const environment = { AIWORKFLOW_CLUSTER_NAME: 'env', AIWORKFLOW_CONCURRENCY: '7', POD_NAMESPACE: 'ops' };
  const config = loadConfig({ clusterName: 'flag' }, environment);
  expect([config.clusterName, config.concurrency, config.podNamespace, config.logLevel]).toEqual([
    'flag',
    7,
    'ops',
    'info',
  ]);
});

it('reports every mistake at once', () => {
  expect(() => loadConfig({ clusterName: 'Not A Label' }, { AIWORKFLOW_CONCURRENCY: '0' })).toThrow(
    /clusterName[\s\S]*concurrency|concurrency[\s\S]*clusterName/,
  );
});

it('names variables after settings', () => {
  expect(environmentName('temporalCallsPerSecond')).toBe('AIWORKFLOW_TEMPORAL_CALLS_PER_SECOND');
});

it('serves all namespaces unless some are named', () => {
  expect(servedNamespaces(loadConfig({}, {}))).toBeUndefined();
  expect(servedNamespaces(loadConfig({ namespaces: 'a, b,' }, {}))).toEqual(['a', 'b']);
});
