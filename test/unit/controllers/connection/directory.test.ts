import { describe, expect, it } from '@jest/globals';
import {
  ConnectionDirectory,
  connectionKey,
  type ConnectionEntry,
} from '../../../../src/controllers/connection/directory.ts';
import { aClusterConnection, aConnection, aServer } from '../../../builders/connection.ts';
import { aTemporal } from '../../../builders/temporal.ts';

const own = { kind: 'TemporalConnection', name: 'temporal' } as const;
const shared = { kind: 'ClusterTemporalConnection', name: 'shared' } as const;
const teamA = { namespace: 'team-a', labels: { team: 'a', tier: 'gold' } };
const client = aTemporal({});

const good = (overrides: Partial<ConnectionEntry> = {}): ConnectionEntry => ({
  connection: aConnection(),
  client,
  server: aServer,
  ...overrides,
});

function aDirectory(entries: Readonly<Record<string, ConnectionEntry>>) {
  const directory = new ConnectionDirectory();
  const told: string[] = [];
  for (const [key, entry] of Object.entries(entries)) directory.set(key, entry);
  const stop = directory.onChange((key) => told.push(key));
  return { directory, told, stop };
}

const KEY = 'TemporalConnection/team-a/temporal';
const SHARED_KEY = 'ClusterTemporalConnection/shared';

describe('a key', () => {
  it('has the namespace of the asker, but for a connection of the cluster', () => {
    expect(connectionKey(own, 'team-a')).toBe(KEY);
    expect(connectionKey(shared, 'team-a')).toBe(SHARED_KEY);
  });
});

describe('resolving a connection', () => {
  it('finds one of the own namespace that is good', () => {
    const { directory } = aDirectory({ [KEY]: good() });
    expect(directory.resolve(own, teamA)).toEqual({
      isUsable: true,
      key: KEY,
      connection: aConnection(),
      client,
      server: aServer,
      awaySince: undefined,
    });
  });

  it('does not find that of another namespace', () => {
    const { directory } = aDirectory({ [KEY]: good() });
    expect(directory.resolve(own, { ...teamA, namespace: 'team-b' })).toEqual({
      isUsable: false,
      key: 'TemporalConnection/team-b/temporal',
      reason: 'ConnectionNotFound',
      message: 'spec.connectionRef: there is no TemporalConnection named temporal',
      client: undefined,
      server: undefined,
    });
  });

  it('tells what is wrong with one, and leaves its client to end what runs', () => {
    const message = 'There is no Secret s in namespace team-a';
    const problem = { reason: 'SecretNotFound', message, since: new Date(0) } as const;
    const { directory } = aDirectory({ [KEY]: good({ problem }) });
    expect(directory.resolve(own, teamA)).toEqual({
      isUsable: false,
      key: KEY,
      reason: 'ConnectionNotReady',
      message: 'TemporalConnection temporal is not ready: There is no Secret s in namespace team-a',
      problem,
      connection: good().connection,
      client,
      server: aServer,
    });
  });

  it('says that one was not looked at yet', () => {
    const { directory } = aDirectory({ [KEY]: { connection: aConnection() } });
    expect(directory.resolve(own, teamA)).toEqual({
      isUsable: false,
      key: KEY,
      reason: 'ConnectionNotReady',
      message: 'TemporalConnection temporal is not looked at yet',
      connection: aConnection(),
    });
  });

  it('uses one whose Temporal is away for now, and says since when', () => {
    const awaySince = new Date(0);
    const { directory } = aDirectory({ [KEY]: good({ awaySince }) });
    expect(directory.resolve(own, teamA)).toMatchObject({ isUsable: true, awaySince });
  });
});

describe('a connection of the cluster', () => {
  const allowing = (allowedNamespaces?: object) =>
    good({ connection: aClusterConnection({ spec: allowedNamespaces ? { allowedNamespaces } : {} }) });

  it.each([
    ['by default', undefined, false],
    ['that allows none', {}, false],
    ['that names others', { names: ['team-b'] }, false],
    ['that names it', { names: ['team-b', 'team-a'] }, true],
    ['that selects it', { selector: { matchLabels: { team: 'a' } } }, true],
    ['that selects it by all of several labels', { selector: { matchLabels: { team: 'a', tier: 'gold' } } }, true],
    ['that selects by a label it lacks', { selector: { matchLabels: { team: 'a', zone: 'z' } } }, false],
    ['that selects another value', { selector: { matchLabels: { team: 'b' } } }, false],
    ['that selects by nothing', { selector: { matchLabels: {} } }, false],
    ['that names it and selects others', { names: ['team-a'], selector: { matchLabels: { team: 'b' } } }, true],
    ['that selects by what every object inherits', { selector: { matchLabels: { constructor: 'x' } } }, false],
  ])('%s serves a namespace: %p', (_, allowed, expected) => {
    const { directory } = aDirectory({ [SHARED_KEY]: allowing(allowed) });
    expect(directory.resolve(shared, teamA).isUsable).toBe(expected);
  });

  it('that is not allowed is not lent for anything', () => {
    const { directory } = aDirectory({ [SHARED_KEY]: allowing({ names: ['team-b'] }) });
    expect(directory.resolve(shared, teamA)).toEqual({
      isUsable: false,
      key: SHARED_KEY,
      reason: 'NamespaceNotAllowed',
      message: 'spec.connectionRef: ClusterTemporalConnection shared does not allow namespace team-a',
      client: undefined,
      server: undefined,
    });
  });
});

describe('a connection that was deleted', () => {
  it('is there no more, but its client is, to end what runs', () => {
    const problem = { reason: 'ConnectionNotFound', message: 'deleted', since: new Date(0) } as const;
    const { directory } = aDirectory({ [KEY]: good({ problem }) });
    expect(directory.resolve(own, teamA)).toMatchObject({
      isUsable: false,
      reason: 'ConnectionNotFound',
      message: 'spec.connectionRef: there is no TemporalConnection named temporal',
      client,
      server: aServer,
    });
  });
});

describe('word of a change', () => {
  it.each<[string, Partial<ConnectionEntry>, number]>([
    ['nothing but the server', { server: { ...aServer, serverVersion: '2' } }, 0],
    ['the client', { client: aTemporal({}) }, 1],
    ['a problem that came', { problem: { reason: 'SecretNotFound', message: 'x', since: new Date(0) } }, 1],
    ['the spec', { connection: aConnection({ metadata: { generation: 2 } }) }, 1],
    ['an outage', { awaySince: new Date(0) }, 1],
  ])('of %s is given %# times', (_, change, times) => {
    const { directory, told } = aDirectory({ [KEY]: good() });
    directory.set(KEY, good(change));
    expect(told).toHaveLength(times);
  });

  it('is not given of an outage that goes on', () => {
    const { directory, told } = aDirectory({ [KEY]: good({ awaySince: new Date(0) }) });
    directory.set(KEY, good({ awaySince: new Date(1) }));
    expect(told).toEqual([]);
  });

  it('is given when a connection comes and goes, and to nobody who has stopped listening', () => {
    const { directory, told, stop } = aDirectory({});
    directory.set(KEY, good());
    directory.delete(KEY);
    directory.delete(KEY);
    stop();
    directory.set(KEY, good());
    expect(told).toEqual([KEY, KEY]);
  });
});
