import { isDeepStrictEqual } from 'node:util';
import { OperatorError } from '../errors.ts';
import {
  attemptCall,
  type Budget,
  type CallOptions,
  type Method,
  type OnCall,
  type RequestOf,
  type ResponseOf,
} from './call.ts';
import { Link, type TemporalTarget } from './connection.ts';

/** What all clients of a process share. */
export interface ClientPoolOptions {
  /** Who we are, as Temporal shows it in histories. */
  readonly identity: string;
  /** Makes the budget of one Temporal namespace; shared by all connections that lead there. */
  readonly newBudget: () => Budget;
  /** Told of every attempt of every call; for metrics. */
  readonly onCall?: OnCall;
}

/**
 * A client of one Temporal namespace at one address. It stays the same object
 * while its credentials change under it, so whoever holds it need not know.
 */
export class TemporalClient {
  readonly namespace: string;
  readonly identity: string;
  private link: Link;
  private target: TemporalTarget;
  private budget: Budget;
  private readonly onCall: OnCall | undefined;
  private isClosed = false;

  /** For `ClientPool` and tests. Throws SecretInvalid where the credentials cannot be used at all. */
  constructor(target: TemporalTarget, options: { identity: string; budget: Budget; onCall?: OnCall | undefined }) {
    this.link = new Link(target);
    this.target = target;
    this.namespace = target.namespace;
    this.identity = options.identity;
    this.budget = options.budget;
    this.onCall = options.onCall;
  }

  /** host:port of the server that calls go to, for ever. */
  get address(): string {
    return this.target.address;
  }

  /**
   * Calls Temporal in the client's namespace, a few times if need be, within
   * the deadline. Throws an OperatorError. Every request that changes something
   * must carry what makes it idempotent: it may be sent twice.
   */
  async call<M extends Method>(
    method: M,
    request: Omit<RequestOf<M>, 'namespace'>,
    options: CallOptions,
  ): Promise<ResponseOf<M>> {
    return attemptCall(
      {
        method,
        request: { ...request, namespace: this.namespace } as RequestOf<M>,
        namespace: this.namespace,
        budget: this.budget,
        // Asked at every attempt: the credentials may have changed since the last.
        link: () => this.current(),
        onCall: this.onCall,
      },
      options,
    );
  }

  /** Makes later calls with the credentials of `target`, within its budget; those in flight finish with what they have. */
  retarget(target: TemporalTarget, budget: Budget): void {
    if (isDeepStrictEqual(target, this.target)) return;
    const next = new Link(target);
    this.link.retire();
    this.link = next;
    this.target = target;
    this.budget = budget;
  }

  /** Lets calls in flight finish and refuses later ones. */
  close(): void {
    this.isClosed = true;
    this.link.retire();
  }

  private current(): Link {
    if (this.isClosed)
      throw new OperatorError('ConnectionNotReady', 'The connection to Temporal was removed', { retry: 'backoff' });
    return this.link;
  }
}

/** All Temporal clients of the process, one for each key (a connection resource), each connected once and for ever. */
export class ClientPool {
  private readonly options: ClientPoolOptions;
  private readonly clients = new Map<string, TemporalClient>();
  private readonly budgets = new Map<string, WeakRef<Budget>>();

  constructor(options: ClientPoolOptions) {
    this.options = options;
  }

  /**
   * The client of `key`, which from now on leads to `target`. Does not connect:
   * the first call does. Throws SecretInvalid where the credentials cannot be
   * used at all; the client then keeps those it had.
   */
  get(key: string, target: TemporalTarget): TemporalClient {
    const known = this.clients.get(key);
    const budget = this.budgetOf(target);
    // Another address may be another cluster: whoever holds the old client must not be led there unawares.
    if (known?.namespace === target.namespace && known.address === target.address) {
      known.retarget(target, budget);
      return known;
    }
    const { identity, onCall } = this.options;
    const client = new TemporalClient(target, { identity, onCall, budget });
    known?.close();
    this.clients.set(key, client);
    return client;
  }

  /** Closes the client of `key` for good. Calls in flight finish. */
  drop(key: string): void {
    this.clients.get(key)?.close();
    this.clients.delete(key);
  }

  /** Closes all clients. Calls in flight finish. */
  close(): void {
    for (const key of [...this.clients.keys()]) this.drop(key);
  }

  private budgetOf({ address, namespace }: TemporalTarget): Budget {
    const key = `${address}/${namespace}`;
    const known = this.budgets.get(key)?.deref();
    if (known) return known;
    const fresh = this.options.newBudget();
    this.budgets.set(key, new WeakRef(fresh));
    return fresh;
  }
}
