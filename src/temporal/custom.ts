/** The most workflow IDs named in one query, and their bytes: a request has its limits. */
const MAX = { ids: 200, bytes: 20_000 };

/**
 * Workflow IDs of the users' own making, which no prefix finds. Each query names
 * some of them, those first whose turn was longest ago.
 */
export class CustomIDs {
  /** By the latest time that had been seen when they were last asked about; in the order of that. */
  private readonly askedAt = new Map<string, number | undefined>();

  /** `high` is the latest time seen so far: what closed before is not this watch's to find. */
  add(workflowID: string, high: number | undefined): void {
    if (!this.askedAt.has(workflowID)) this.askedAt.set(workflowID, high);
  }

  delete(workflowID: string): void {
    this.askedAt.delete(workflowID);
  }

  get size(): number {
    return this.askedAt.size;
  }

  /** The IDs whose turn it is, and from when on they must be asked about. */
  next(high: number | undefined): { readonly ids: readonly string[]; readonly from: number | undefined } {
    const ids = batch(this.askedAt.keys());
    const times = ids.map((id) => this.askedAt.get(id) ?? high).filter((time) => time !== undefined);
    return { ids, from: high === undefined ? undefined : Math.min(high, ...times) };
  }

  /** These have had their turn, when `high` was the latest time seen. */
  asked(ids: readonly string[], high: number | undefined): void {
    for (const id of ids) {
      // One that was removed meanwhile stays removed.
      if (this.askedAt.delete(id)) this.askedAt.set(id, high);
    }
  }

  /** No turn is remembered: the client leads to another cluster. */
  reset(): void {
    this.asked([...this.askedAt.keys()], undefined);
  }
}

/** As many of `ids`, from the first on, as fit into one query; at least one. */
export function batch(ids: Iterable<string>): string[] {
  const taken: string[] = [];
  let bytes = 0;
  for (const id of ids) {
    bytes += Buffer.byteLength(id);
    if (taken.length === MAX.ids || (taken.length > 0 && bytes > MAX.bytes)) break;
    taken.push(id);
  }
  return taken;
}
