import type { CommandOptions } from '../cluster/command.ts';
import { repository } from '../cluster/places.ts';
import { inWords } from '../cluster/progress.ts';
import type { Tools } from '../builders/tools.ts';

/** Shows a person, on standard output, what is done and what happens. */
export class Narrator {
  private chapters = 0;
  private markMs = Date.now();
  private readonly tools: Tools;

  constructor(tools: Tools) {
    this.tools = tools;
  }

  line(text: string): void {
    console.log(text);
  }

  chapter(title: string): void {
    this.line(`\n── ${++this.chapters}. ${title}\n`);
  }

  /** Runs a command in the repository's root, shows it as it could be typed, then what it printed. */
  async run(program: 'kubectl' | 'helm', args: readonly string[], options: CommandOptions = {}): Promise<string> {
    this.line(`$ ${[program, ...args].map(quoted).join(' ')}`);
    const output = await this.tools[program](args, { cwd: repository, ...options });
    this.line(output.trimEnd());
    return output;
  }

  /** Starts the clock of events. */
  mark(): void {
    this.markMs = Date.now();
  }

  /** Something that happened, with the time since the mark. */
  event(text: string): void {
    const sinceMs = Date.now() - this.markMs;
    const time = sinceMs < 100_000 ? `${(sinceMs / 1_000).toFixed(1).padStart(4)} s` : inWords(sinceMs);
    this.line(`  ${time}  ${text}`);
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
