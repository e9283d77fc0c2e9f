/**
 * Answers that many callers may share for a short while: those who ask while
 * the question is being asked, and those who ask soon after. Errors are not kept.
 */
export class Cache<T> {
  private readonly ttlMs: number;
  private readonly answers = new Map<string, Answer<T>>();

  constructor(ttlMs: number) {
    this.ttlMs = ttlMs;
  }

  /** The answer under `key`, asked for at most once per `ttlMs`, and never twice at once. */
  get(key: string, ask: () => Promise<T>): Promise<T> {
    this.dropOld();
    const known = this.answers.get(key);
    if (known) return known.answer;
    const entry: Answer<T> = { askedAt: performance.now(), isOpen: true, answer: ask() };
    this.answers.set(key, entry);
    entry.answer.then(
      () => (entry.isOpen = false),
      () => this.answers.delete(key),
    );
    return entry.answer;
  }

  private dropOld(): void {
    const oldest = performance.now() - this.ttlMs;
    for (const [key, { askedAt, isOpen }] of this.answers) {
      if (askedAt > oldest) return; // the rest was asked later
      if (!isOpen) this.answers.delete(key);
    }
  }
}

interface Answer<T> {
  readonly askedAt: number;
  /** Nobody has answered yet. */
  isOpen: boolean;
  readonly answer: Promise<T>;
}
