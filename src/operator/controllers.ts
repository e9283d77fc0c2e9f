import type { AnyResource } from '../api/resource.ts';
import { Controller } from '../runtime/controller.ts';
import type { PassResult } from '../runtime/reconcile.ts';
import type { TermWorld } from './term.ts';

/** A controller with the settings and the metrics that all have. */
export function controllerOf<Resource extends AnyResource>(
  { config, log, metrics }: TermWorld,
  name: string,
  options: {
    readonly find: (key: string) => Resource | undefined;
    readonly pass: (resource: Resource, signal: AbortSignal) => Promise<PassResult>;
  },
): Controller<Resource> {
  return new Controller({
    ...{ name, log, concurrency: config.concurrency },
    ...options,
    onPass: (result, ms) => {
      metrics.passes.inc({ controller: name, result: result.error?.reason ?? 'ok' });
      metrics.passSeconds.observe({ controller: name }, ms / 1_000);
    },
    onTaken: (priority, waitedMs) => metrics.queueSeconds.observe({ controller: name, priority }, waitedMs / 1_000),
  });
}
