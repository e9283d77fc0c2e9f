import type { Container } from './podrunner-types.ts';

/** A pod's specification cannot be carried out as it stands: told in the container's status, and tried again. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A path inside the container and the folder of this machine that takes its place. */
export interface MappedPath {
  readonly inside: string;
  readonly outside: string;
}

/** The text with every path inside the container replaced by that of this machine: `/cfg/a:/b` as well as `--file=/cfg/a`. */
export function withMappedPaths(text: string, paths: readonly MappedPath[]): string {
  const longestFirst = paths.toSorted((a, b) => b.inside.length - a.inside.length);
  return longestFirst.reduce((mapped, { inside, outside }) => {
    const escaped = inside.replace(/\/$/, '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return mapped.replaceAll(new RegExp(`(?<![\\w/.-])${escaped}(?![\\w.-])`, 'g'), () => outside);
  }, text);
}

/** `$(NAME)` replaced by that variable's value, `$$` by `$`, unknown names left alone: as a kubelet does. */
export function expanded(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\$|\$\(([-._a-zA-Z0-9]+)\)/g, (whole, name?: string) => {
    if (name === undefined) return '$';
    return variables[name] ?? whole;
  });
}

/** The command line of a container whose image is played by `entrypoint`. */
export function commandLine(
  container: Container,
  entrypoint: readonly string[],
  variables: Readonly<Record<string, string>>,
): string[] {
  const own = [...(container.command ?? []), ...(container.args ?? [])].map((part) => expanded(part, variables));
  return container.command === undefined ? [...entrypoint, ...own] : own;
}
