import { hostname } from 'node:os';
import { servedNamespaces, type Config } from '../config.ts';
import { connectKube } from '../kube/connect.ts';
import { eventSink } from '../kube/events.ts';
import { leaseStore } from '../kube/lease.ts';
import type { KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../runtime/event-recorder.ts';
import { LeaderElection } from '../runtime/leader-election.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/ports.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { checkPage, PageServer } from '../telemetry/server.ts';
import { openCaches, type Caches } from './caches.ts';
import { leadTerm } from './term.ts';

/** How the operator ends itself when it cannot go on safely. */
export type Exit = (code: number) => never;

/** The parts of the operator, in the order of their start. */
export function operatorParts(config: Config, log: Log, exit: Exit): readonly Part[] {
  const metrics = new Metrics();
  const kube = connectWithMetrics(config, metrics);
  const caches = openCaches({
    ...{ kube, log, served: servedNamespaces(config) },
    onEvent: (collection, event) => metrics.cacheEvents.inc({ collection, event }),
  });
  const recorder = new EventRecorder(eventSinkOf(kube, config), log);
  const election = electionOf({ config, log, kube, caches, metrics, recorder, exit });
  const isReady = () => caches.reflectors.every(({ isSynced }) => isSynced);
  return [...pageServers(config, metrics, { election, isReady }), recorder, cachesPart(caches), election];
}

function connectWithMetrics(config: Config, metrics: Metrics): KubeClient {
  return connectKube({
    ...(config.kubeconfig !== '' && { kubeconfig: config.kubeconfig }),
    onCall: ({ verb, resource, code, ms }) => {
      metrics.kubeCalls.inc({ verb, resource, code });
      if (verb !== 'watch') metrics.kubeSeconds.observe({ verb }, ms / 1_000);
    },
  });
}

function cachesPart({ reflectors }: Caches): Part {
  return {
    name: 'caches',
    start: async () => {
      for (const reflector of reflectors) reflector.start();
      await Promise.all(reflectors.map((reflector) => reflector.synced()));
    },
    stop: async () => void (await Promise.all(reflectors.map((reflector) => reflector.stop()))),
  };
}

interface ElectionWorld {
  readonly config: Config;
  readonly log: Log;
  readonly kube: KubeClient;
  readonly caches: Caches;
  readonly metrics: Metrics;
  readonly recorder: EventRecorder;
  readonly exit: Exit;
}

function electionOf({ kube, recorder, exit, ...world }: ElectionWorld): LeaderElection {
  const { config, log, metrics } = world;
  return new LeaderElection({
    store: leaseStore(kube, { namespace: config.podNamespace, name: config.leaseName }),
    identity: identityOf(config),
    log,
    lead: async ({ signal, isHeld, epoch }) => {
      metrics.leader.set(1);
      const term = { ...world, kube: kube.fencedBy(signal, isHeld), log: log.child({ epoch }) };
      const leading = leadTerm({ ...term, record: (event) => recorder.record(event) }, signal);
      await leading.finally(() => metrics.leader.set(0));
    },
    onStuck: () => {
      log.error('work did not stop after leadership was lost, ending the process', {});
      exit(1);
    },
  });
}

/** The same after a restart of the container; without a pod, another for every process. */
function identityOf({ podName, podUid }: Config): string {
  return podUid === '' ? `${hostname()}_${process.pid}` : `${podName}_${podUid}`;
}

function pageServers(
  { healthPort, metricsPort, bindAddress: address }: Config,
  metrics: Metrics,
  { election, isReady }: { readonly election: LeaderElection; readonly isReady: () => boolean },
): Part[] {
  const ready = () =>
    checkPage({
      caches: () => (isReady() ? undefined : 'not all caches are filled yet'),
      'leader election': () => (election.isStanding ? undefined : 'neither leading nor standing by yet'),
    });
  const { contentType } = metrics.registry;
  const metricsPage = async () => ({ status: 200, contentType, body: await metrics.page() });
  return [
    new PageServer('health server', {
      ...{ port: healthPort, address },
      pages: { '/healthz': () => checkPage({}), '/readyz': ready },
    }),
    new PageServer('metrics server', { port: metricsPort, address, pages: { '/metrics': metricsPage } }),
  ];
}

function eventSinkOf(kube: KubeClient, config: Config) {
  return eventSink(kube, { reportingController: 'aiworkflow.dev/operator', reportingInstance: identityOf(config) });
}
