import type { KubeObject } from '../api/resource.ts';
import type { ListPage, Source, WatchEvent } from '../runtime/ports.ts';
import type {
  ApplyOptions,
  CallOptions,
  CreateOptions,
  DeleteOptions,
  KubeClient,
  ListOptions,
  Manifest,
  PatchOptions,
  PatchStep,
  WatchOptions,
} from './client.ts';
import { decode, encode, eventsOf, objectOf, pageOf } from './decode.ts';
import { resourceName, type Kind } from './kinds.ts';
import { nothingIfNotFound, subject, typed, type Subject, type Write } from './subject.ts';
import { finalizerSteps, isGuarded, statusSteps } from './patch.ts';
import { collectionPath, objectPath, queryString, type ObjectName, type Selection } from './path.ts';
import type { Fence, Transport } from './transport.ts';

/** How much longer than asked for a watch may last before it counts as dead. */
const WATCH_GRACE_MS = 10_000;

/** The client over HTTP; see KubeClient. */
export class HttpClient implements KubeClient {
  private readonly transport: Transport;
  private readonly fence: Fence | undefined;

  constructor(transport: Transport, fence?: Fence) {
    this.transport = transport;
    this.fence = fence;
  }

  async get<T extends KubeObject>(kind: Kind<T>, object: ObjectName, options?: CallOptions): Promise<T> {
    return objectOf(kind, await this.read({ verb: 'get', kind, object }, objectPath(kind, object), options));
  }

  async find<T extends KubeObject>(kind: Kind<T>, object: ObjectName, options?: CallOptions): Promise<T | undefined> {
    return this.get(kind, object, options).catch(nothingIfNotFound);
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<ListPage<T>> {
    const { namespace, labelSelector, fieldSelector, limit } = options;
    const path = collectionPath(kind, namespace, { labelSelector, fieldSelector, limit, continue: options.continue });
    return pageOf(kind, await this.read({ verb: 'list', kind }, path, options));
  }

  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const { namespace, signal, ...query } = options;
    const path = collectionPath(kind, namespace, { ...query, watch: true, allowWatchBookmarks: true });
    const about = subject({ verb: 'watch', kind });
    const deadlineMs = options.timeoutSeconds * 1_000 + WATCH_GRACE_MS;
    const body = this.transport.stream({ ...about, method: 'GET', path, isRepeatable: false, deadlineMs, signal });
    return eventsOf(kind, about.what, body);
  }

  source<T extends KubeObject>(kind: Kind<T>, selection: Selection = {}): Source<T> {
    return {
      name: resourceName(kind),
      list: (options) => this.list(kind, { ...selection, ...options }),
      watch: (options) => this.watch(kind, { ...selection, ...options }),
    };
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: Manifest, options?: CreateOptions): Promise<T> {
    const path = collectionPath(kind, object.metadata.namespace, options?.dryRun && { dryRun: 'All' });
    const write = { verb: 'create', kind, object: object.metadata, method: 'POST', path, isRepeatable: false } as const;
    return this.write(kind, { ...write, body: typed(kind, object) }, options);
  }

  async replace<T extends KubeObject>(kind: Kind<T>, object: Manifest, options?: CallOptions): Promise<T> {
    const path = objectPath(kind, object.metadata);
    const write = { verb: 'update', kind, object: object.metadata, method: 'PUT', path, isRepeatable: true } as const;
    return this.write(kind, { ...write, body: typed(kind, object) }, options);
  }

  async applyServerSide<T extends KubeObject>(kind: Kind<T>, object: Manifest, options: ApplyOptions): Promise<T> {
    const { fieldManager, force, subresource } = options;
    const path = objectPath(kind, object.metadata, subresource) + queryString({ fieldManager, force });
    const patch = { kind, object: object.metadata, subresource, path, body: typed(kind, object), isRepeatable: true };
    return this.patch(kind, { ...patch, verb: 'apply', contentType: 'application/apply-patch+yaml' }, options);
  }

  async patchJson<T extends KubeObject>(
    kind: Kind<T>,
    object: ObjectName,
    steps: readonly PatchStep[],
    options: PatchOptions = {},
  ): Promise<T> {
    const { subresource } = options;
    const path = objectPath(kind, object, subresource);
    const patch = { kind, object, subresource, path, body: steps, isRepeatable: isGuarded(steps) };
    return this.patch(kind, { ...patch, verb: 'patch', contentType: 'application/json-patch+json' }, options);
  }

  async patchMerge<T extends KubeObject>(
    kind: Kind<T>,
    object: ObjectName,
    patch: object,
    options: PatchOptions = {},
  ): Promise<T> {
    const { subresource } = options;
    const path = objectPath(kind, object, subresource);
    const merge = { kind, object, subresource, path, body: patch, isRepeatable: true };
    return this.patch(kind, { ...merge, verb: 'patch', contentType: 'application/merge-patch+json' }, options);
  }

  async delete(kind: Kind<KubeObject>, object: ObjectName, options: DeleteOptions = {}): Promise<void> {
    const { propagation = 'Background', preconditions, gracePeriodSeconds } = options;
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: propagation,
      preconditions,
      gracePeriodSeconds,
    };
    const path = objectPath(kind, object);
    const write = { verb: 'delete', kind, object, method: 'DELETE', path, body, isRepeatable: true } as const;
    await this.send(write, options).catch(nothingIfNotFound);
  }

  async replaceStatus<T extends KubeObject>(
    kind: Kind<T>,
    object: T,
    status: unknown,
    options?: CallOptions,
  ): Promise<T> {
    return this.patchJson(kind, object.metadata, statusSteps(object, status), { ...options, subresource: 'status' });
  }

  async addFinalizer<T extends KubeObject>(
    kind: Kind<T>,
    object: T,
    finalizer: string,
    options?: CallOptions,
  ): Promise<T> {
    const finalizers = object.metadata.finalizers ?? [];
    if (finalizers.includes(finalizer)) return object;
    return this.patchJson(kind, object.metadata, finalizerSteps(object, [...finalizers, finalizer]), options);
  }

  async removeFinalizer<T extends KubeObject>(
    kind: Kind<T>,
    object: T,
    finalizer: string,
    options?: CallOptions,
  ): Promise<T> {
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(finalizer)) return object;
    const others = finalizers.filter((each) => each !== finalizer);
    return this.patchJson(kind, object.metadata, finalizerSteps(object, others), options);
  }

  fencedBy(signal: AbortSignal, isHeld: () => boolean = () => true): KubeClient {
    const outer = this.fence;
    const both = outer && {
      signal: AbortSignal.any([outer.signal, signal]),
      isHeld: () => outer.isHeld() && isHeld(),
    };
    return new HttpClient(this.transport, both ?? { signal, isHeld });
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  private async read(about: Subject, path: string, options: CallOptions = {}): Promise<unknown> {
    const { signal, deadlineMs } = options;
    const call = { ...subject(about), method: 'GET', path, isRepeatable: true, signal, deadlineMs } as const;
    return decode(call.what, await this.transport.send(call));
  }

  private async patch<T extends KubeObject>(
    kind: Kind<T>,
    patch: Omit<Write, 'method'>,
    options?: CallOptions,
  ): Promise<T> {
    return this.write(kind, { ...patch, method: 'PATCH' }, options);
  }

  private async write<T extends KubeObject>(kind: Kind<T>, write: Write, options?: CallOptions): Promise<T> {
    const text = await this.send(write, options);
    return objectOf(kind, decode(subject(write).what, text));
  }

  private async send(write: Write, { signal, deadlineMs }: CallOptions = {}): Promise<string> {
    const { method, path, contentType = 'application/json', isRepeatable } = write;
    const about = subject(write);
    const body = encode(about.what, write.body);
    const { fence } = this;
    return this.transport.send({ ...about, method, path, body, contentType, isRepeatable, signal, deadlineMs, fence });
  }
}
