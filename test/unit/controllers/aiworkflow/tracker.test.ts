import { expect, it } from '@jest/globals';
import { connectionKey } from '../../../../src/controllers/connection/directory.ts';
import { CompletionTracker } from '../../../../src/controllers/aiworkflow/tracker.ts';
import { aTemporal } from '../../../builders/temporal.ts';

const run = { uid: 'u-1', key: 'team-a/x', workflowID: 'default/team-a/x', firstRunID: 'r-1', runID: 'r-1' };

it.each([
  ['TemporalConnection', 'default/team-a/'],
  ['ClusterTemporalConnection', 'default/'],
] as const)('through a %s it is asked for runs that begin with %s', async (kind, prefix) => {
  const asked = Promise.withResolvers<string>();
  const client = aTemporal({
    listWorkflowExecutions: ({ query }) => {
      asked.resolve(query ?? '');
      return { executions: [], nextPageToken: new Uint8Array() };
    },
  });
  const tracker = new CompletionTracker({ clusterName: 'default', onHint: () => undefined, log: { warn() {} } });
  tracker.track(run, { key: connectionKey({ kind, name: 'temporal' }, 'team-a'), client });
  const query = await asked.promise;
  await tracker.stop();
  expect(query).toContain(`STARTS_WITH '${prefix}'`);
});
