import { OperatorError } from '../../../src/errors.ts';
import { Reflector, type ReflectorOptions } from '../../../src/runtime/reflector.ts';
import type { Source } from '../../../src/runtime/ports.ts';
import { Store } from '../../../src/runtime/store.ts';
import { EagerClock, memoryLog, type ScriptedSource, type Thing } from './sources.ts';

const stops: (() => Promise<void>)[] = [];

/** Stops every reflector that was made here. */
export async function stopAll(): Promise<void> {
  await Promise.all(stops.splice(0).map((stop) => stop()));
}

/** A reflector that is not started yet, with all that can be asked about it. */
export function reflect(source: Source<Thing>, options: Partial<ReflectorOptions<Thing, Thing>> = {}) {
  const errors: unknown[] = [];
  const store = new Store<Thing>({ size: ({ size }) => [String(size)] }, (error) => errors.push(error));
  const clock = new EagerClock();
  const log = memoryLog();
  const told: string[] = [];
  const reflector = new Reflector<Thing>({
    ...{ source, store, clock, log, project: (raw) => raw, onEvent: (_, event) => told.push(event), ...options },
    timing: { baseMs: 100, maxMs: 1_000, silenceMs: 5_000, pageSize: 2, ...options.timing },
  });
  stops.push(() => reflector.stop());
  return { reflector, store, clock, log, told, errors };
}

/** What a store holds. */
export const names = (store: Store<Thing>) =>
  store
    .all()
    .map(({ metadata }) => metadata.name)
    .sort();
/** Lets everything go on that can. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));
/** The watch that is opened as number `index`. */
export async function watchOf(source: ScriptedSource, index: number) {
  for (let turns = 0; turns < 200 && !source.watches[index]; turns += 1) await turn();
  return source.watches[index]!;
}

/** A failure as the client throws it. */
export const unavailable = (retry: OperatorError['retry'] = 'backoff') =>
  new OperatorError('KubernetesUnavailable', 'Could not watch', { retry });
