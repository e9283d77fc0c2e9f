import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tools } from '../builders/tools.ts';
import { repository } from '../cluster/places.ts';

/** Everything of the demo is in these two namespaces. */
export const demoNamespace = 'aiworkflow-demo';
export const operatorNamespace = 'aiworkflow-system';

/** A cluster, made ready for the story: what differs from one to the next. */
export interface Stage {
  readonly tools: Tools;
  /** Values of the operator's chart, as `--set` takes them. */
  readonly values: Readonly<Record<string, string>>;
  /** The example's `pool.yaml`, changed where this cluster needs it to be. */
  readonly pool: string;
  /** What was changed in it, one sentence each; empty where it is applied as it is. */
  readonly changes: readonly string[];
  /** What is to be done once the charts are installed. */
  readonly afterInstall?: () => Promise<void>;
  /** How to go on from here, printed at the end. */
  readonly howToGoOn: readonly string[];
  /** Frees what holds this process. */
  close(): void;
}

/** Texts to be replaced in a manifest. */
export type Edits = Readonly<Record<string, string>>;

/** The example's pool with those texts replaced. Fails where one is not there: the example has changed. */
export async function examplePool(edits: Edits = {}): Promise<string> {
  let text = await readFile(join(repository, 'examples/python-inference/pool.yaml'), 'utf8');
  for (const [from, to] of Object.entries(edits)) {
    if (!text.includes(from)) throw new Error(`examples/python-inference/pool.yaml does not contain ${from} any more`);
    text = text.replace(from, to);
  }
  return text;
}

/** The values of the chart that name an image. */
export function imageValues(image: string): Readonly<Record<string, string>> {
  const colon = image.lastIndexOf(':');
  if (colon <= image.lastIndexOf('/')) throw new Error(`${image} must name a tag, as in registry.example/operator:1`);
  return { 'image.repository': image.slice(0, colon), 'image.tag': image.slice(colon + 1) };
}
