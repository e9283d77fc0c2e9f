import type { Resolution } from '../connection/directory.ts';

/**
 * What this process remembers of live runs between passes. All of it can be
 * lost: a new process is given fresh hints and asks again.
 */
export class RunMemory {
  private readonly runs = new Map<string, Remembered>();

  /** Something suggests that the run has changed: the next pass asks Temporal. */
  hint(uid: string): void {
    this.of(uid).isHinted = true;
  }

  isHinted(uid: string): boolean {
    return this.runs.get(uid)?.isHinted ?? false;
  }

  /** Temporal is asked now: a hint that comes from here on is about something later, and stands. */
  asking(uid: string): void {
    this.of(uid).isHinted = false;
  }

  /** Where the chain stood when it was last asked about; so that a long chain is not followed from its beginning each time. */
  latestRunID(uid: string): string | undefined {
    return this.runs.get(uid)?.latestRunID;
  }

  /** The run is live. */
  isLive(uid: string, latestRunID: string): void {
    const run = this.of(uid);
    run.latestRunID = latestRunID;
    delete run.notFoundSince;
    delete run.unknownSince;
  }

  /** Temporal said that it does not know the run; returns when it said so first. It is asked again. */
  notFound(uid: string, now: Date): Date {
    const run = this.of(uid);
    run.isHinted = true;
    delete run.unknownSince;
    return (run.notFoundSince ??= now);
  }

  /** Temporal could not be asked; returns since when that is so. It is asked again. */
  unknown(uid: string, now: Date): Date {
    const run = this.of(uid);
    run.isHinted = true;
    return (run.unknownSince ??= now);
  }

  /** The deletion is looked at; returns when that was first so. */
  deletionSeen(uid: string, now: Date): Date {
    return (this.of(uid).deletionSeenAt ??= now);
  }

  /** Whether the deletion must be hasty; returns since when it must. */
  hasty(uid: string, isHasty: boolean, now: Date): Date | undefined {
    const run = this.of(uid);
    if (isHasty) return (run.hastySince ??= now);
    delete run.hastySince;
    return undefined;
  }

  asked(uid: string): 'cancel' | 'terminate' | undefined {
    return this.runs.get(uid)?.asked;
  }

  hasAsked(uid: string, what: 'cancel' | 'terminate'): void {
    this.of(uid).asked = what;
  }

  /** What a pass has seen of the connection, for its own actions: they must not go elsewhere than it decided for. */
  sees(uid: string, connection: Resolution): void {
    this.of(uid).connection = connection;
  }

  seen(uid: string): Resolution | undefined {
    return this.runs.get(uid)?.connection;
  }

  forget(uid: string): void {
    this.runs.delete(uid);
  }

  private of(uid: string): Remembered {
    const known = this.runs.get(uid);
    if (known) return known;
    const fresh: Remembered = { isHinted: false };
    this.runs.set(uid, fresh);
    return fresh;
  }
}

interface Remembered {
  isHinted: boolean;
  latestRunID?: string;
  notFoundSince?: Date;
  unknownSince?: Date;
  deletionSeenAt?: Date;
  hastySince?: Date;
  asked?: 'cancel' | 'terminate';
  connection?: Resolution;
}
