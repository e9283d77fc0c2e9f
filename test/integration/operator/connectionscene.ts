import type { Connection } from '../../../src/api/connection.ts';
import type { Reason } from '../../../src/api/reasons.ts';
import { aCertificate, type Certificate } from '../../builders/certificate.ts';
import type { LocalCluster } from '../../cluster/cluster.ts';
import { applyCrds, cluster, freshNamespace, freshTemporalNamespace } from '../../cluster/shared.ts';
import { applyPolicies } from '../policies/tenants.ts';
import { openFrontDoor, type FrontDoor } from '../temporal/frontdoor.ts';
import { startOperator, type OperatorProcess } from './process.ts';
import { conditionOf, Runs } from './runs.ts';
import { Secrets } from './secrets.ts';

/** Who has issued the certificates of servers and clients. */
export const authority = aCertificate('authority');
const serverCertificate = aCertificate('server', { issuer: authority, address: '127.0.0.1' });

/** The condition of a connection that works. */
export const ready = { type: 'Ready', status: 'True', reason: 'Connected' } as const;

/** The CA of the servers, which the scene has put into a Secret. */
export const caSecretRef = { name: 'ca', key: 'ca.crt' };

/** The values of a Secret with an API key. */
export const keySecret = (key: string) => ({ key });

/** The values of a Secret with a client certificate. */
export const pair = ({ cert, key }: Certificate) => ({ 'tls.crt': cert, 'tls.key': key });

/** The spec of a connection through a door, with the API key in that Secret. */
export const withKey = (door: FrontDoor, secret: string) => ({
  ...{ address: door.address, tls: { caSecretRef } },
  apiKeySecretRef: { name: secret, key: 'key' },
});

/** The same with the client certificate in that Secret. */
export const withCertificate = (door: FrontDoor, secret: string) => ({
  address: door.address,
  tls: { caSecretRef, clientCertSecretRef: { name: secret } },
});

/** An operator, and Temporal behind doors that look at credentials. */
export class ConnectionScene {
  readonly shared: LocalCluster;
  readonly operator: OperatorProcess;
  readonly temporalNamespace: string;
  /** Of a namespace whose Secrets the operator may read. */
  readonly runs: Runs;
  /** Of one where it may not, until somebody allows it. */
  readonly closed: Runs;
  readonly secrets: Secrets;
  private readonly doors: FrontDoor[] = [];

  private constructor(parts: Pick<ConnectionScene, 'shared' | 'operator' | 'temporalNamespace' | 'runs' | 'closed'>) {
    this.shared = parts.shared;
    this.operator = parts.operator;
    this.temporalNamespace = parts.temporalNamespace;
    this.runs = parts.runs;
    this.closed = parts.closed;
    this.secrets = new Secrets(parts.shared.api);
  }

  static async open(): Promise<ConnectionScene> {
    const shared = await cluster();
    await applyCrds(shared);
    await applyPolicies(shared);
    const [own, other] = [await freshNamespace(shared, 'connections'), await freshNamespace(shared, 'closed')];
    const scene = new ConnectionScene({
      shared,
      temporalNamespace: await freshTemporalNamespace(shared, 'connections'),
      runs: new Runs(shared, own),
      closed: new Runs(shared, other, own),
      operator: await startOperator(shared, own, { serves: [own, other], tenants: [own] }),
    });
    await scene.secrets.put(own, 'ca', { 'ca.crt': authority.cert });
    return scene;
  }

  async close(): Promise<void> {
    await this.operator.kill('SIGTERM');
    await Promise.all(this.doors.map((door) => door.close()));
    this.shared.api.close();
  }

  /** A door of its own for a test. */
  async door(options: { clientAuthority?: Certificate; apiKeys?: readonly string[] } = {}): Promise<FrontDoor> {
    const door = await openFrontDoor(this.shared.temporalAddress, { server: serverCertificate, ...options });
    this.doors.push(door);
    return door;
  }

  /** Creates a connection, whatever becomes of it. */
  async connect(name: string, spec: Readonly<Record<string, unknown>>, where = this.runs): Promise<void> {
    const whole = { namespace: this.temporalNamespace, ...spec };
    await where.create('temporalconnections', 'TemporalConnection', name, whole);
  }

  get(name: string): Promise<Connection> {
    return this.shared.api.call<Connection>(this.runs.path('temporalconnections', name));
  }

  /** The sentence with which a connection says that it is not ready, for that reason and for now. */
  async whyNot(name: string, reason: Reason, where = this.runs): Promise<string> {
    const found = await where.untilConnection(name, { type: 'Ready', status: 'False', reason }, 40_000);
    if (conditionOf(found, 'Reconciling')?.status !== 'True') throw new Error(`${name} does not go on by itself`);
    return conditionOf(found, 'Ready')?.message ?? '';
  }

  /** Values of Secrets that stand in a log line, a status or an Event. */
  async shownSecrets(): Promise<string[]> {
    const paths = [this.runs, this.closed].flatMap(({ namespace }) => [
      `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
      `/apis/aiworkflow.dev/v1alpha1/namespaces/${namespace}/temporalconnections`,
      `/apis/aiworkflow.dev/v1alpha1/namespaces/${namespace}/aiworkflows`,
    ]);
    const lists = await Promise.all(paths.map((path) => this.shared.api.call<object>(path)));
    const texts = [this.operator.output(), ...lists.map((list) => JSON.stringify(list))];
    return texts.flatMap((text) => this.secrets.shownIn(text));
  }
}
