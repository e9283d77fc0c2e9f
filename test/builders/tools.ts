import { CommandError, run } from '../cluster/command.ts';
import type { CommandOptions } from '../cluster/command.ts';
import { kubectlAndHelm } from '../cluster/programs-kubectl.ts';

/** kubectl and Helm for one cluster, as a person has them. */
export interface Tools {
  /** The files; `env` tells them which cluster. */
  readonly programs: { readonly kubectl: string; readonly helm: string };
  readonly env: Readonly<Record<string, string>>;
  readonly kubectl: Tool;
  readonly helm: Tool;
}

/** Runs it to its end and returns what it printed. Fails with `CommandError`. */
type Tool = (args: readonly string[], options?: CommandOptions) => Promise<string>;

/** Those for the cluster of a kubeconfig; without one, for that of this person's environment. */
export async function toolsFor(kubeconfig?: string): Promise<Tools> {
  const programs = await kubectlAndHelm();
  const env: Record<string, string> = kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig };
  const runs =
    (program: string) =>
    (args: readonly string[], options: CommandOptions = {}) =>
      run(program, args, { timeoutMs: 600_000, ...options, env: { ...env, ...options.env } });
  return { programs, env, kubectl: runs(programs.kubectl), helm: runs(programs.helm) };
}

/** What a command that must fail said. Fails if it does not. */
export async function failureOf(command: Promise<string>): Promise<string> {
  const output = await command.catch((error: unknown) => {
    if (error instanceof CommandError) return error;
    throw error;
  });
  if (typeof output === 'string') throw new Error(`The command was expected to fail, and printed: ${output}`);
  return output.stderr;
}
