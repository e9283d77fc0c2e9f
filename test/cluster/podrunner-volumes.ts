import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { entriesOf, fieldOf } from './podrunner-env.ts';
import type { Entries, PodSources } from './podrunner-env.ts';
import { ConfigError } from './podrunner-pod.ts';
import type { MappedPath } from './podrunner-pod.ts';
import type { Container, FieldFiles, KeyedFiles, Pod, Volume, VolumeSource } from './podrunner-types.ts';

/**
 * Writes the pod's volumes below the folder and returns what each of the container's mount paths became. Processes of
 * this machine have no file system of their own: paths in their arguments and environment are rewritten instead.
 */
export async function containerPaths(
  pod: Pod,
  container: Container,
  { folder, sources }: { readonly folder: string; readonly sources: PodSources },
): Promise<MappedPath[]> {
  const paths: MappedPath[] = [];
  for (const { name, mountPath, subPath = '' } of container.volumeMounts ?? []) {
    const volume = pod.spec.volumes?.find((candidate) => candidate.name === name);
    if (volume === undefined) throw new ConfigError(`The pod has no volume ${name}`);
    const outside = await writeVolume(pod, volume, { folder: join(folder, 'volumes', name), sources });
    paths.push({ inside: mountPath, outside: join(outside, subPath) });
  }
  return paths;
}

interface Target {
  readonly folder: string;
  readonly sources: PodSources;
}

async function writeVolume(pod: Pod, volume: Volume, target: Target): Promise<string> {
  if (volume.hostPath !== undefined) return volume.hostPath.path;
  await mkdir(target.folder, { recursive: true, mode: 0o700 });
  if (volume.emptyDir !== undefined) return target.folder;
  const sources = volume.projected?.sources ?? [projectionOf(volume)];
  for (const source of sources) await writeFiles(target.folder, await projected(pod, source, target.sources));
  return target.folder;
}

// A volume of one source is a projection of that source alone, but for the name of a Secret's name.
function projectionOf({ name, secret, configMap, downwardAPI }: Volume): VolumeSource {
  if (secret !== undefined) return { secret: { ...secret, name: secret.secretName ?? '' } };
  if (configMap !== undefined) return { configMap };
  if (downwardAPI !== undefined) return { downwardAPI };
  throw new ConfigError(`The pod runner has no volumes such as ${name}`);
}

async function projected(pod: Pod, source: VolumeSource, sources: PodSources): Promise<Entries> {
  const { secret, configMap = {}, downwardAPI, serviceAccountToken: token } = source;
  if (token !== undefined) {
    const text = await sources.token(pod, token.audience, token.expirationSeconds ?? 3_600);
    return { [token.path]: Buffer.from(text) };
  }
  if (downwardAPI !== undefined) return downward(pod, downwardAPI);
  const kind = secret === undefined ? 'configmaps' : 'secrets';
  const files = secret ?? configMap;
  return picked((await entriesOf(pod, kind, files, sources)) ?? {}, files.items);
}

function downward(pod: Pod, { items = [] }: FieldFiles): Entries {
  const fields = items.map(({ path, fieldRef }) => {
    if (fieldRef === undefined) throw new ConfigError(`The pod runner cannot fill ${path}: only fields`);
    return [path, Buffer.from(fieldOf(pod, fieldRef))] as const;
  });
  return Object.fromEntries(fields);
}

function picked(entries: Entries, items: KeyedFiles['items']): Entries {
  if (items === undefined) return entries;
  const pairs = items.map(({ key, path }) => {
    const entry = entries[key];
    if (entry === undefined) throw new ConfigError(`references non-existent key: ${key}`);
    return [path, entry] as const;
  });
  return Object.fromEntries(pairs);
}

async function writeFiles(folder: string, files: Entries): Promise<void> {
  for (const [path, contents] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, contents, { mode: 0o600 });
    await chmod(file, 0o600);
  }
}
