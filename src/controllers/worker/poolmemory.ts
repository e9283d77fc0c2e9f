import { newMemory, type ScalingMemory } from './memory.ts';

interface Remembered {
  scaling?: ScalingMemory;
  budgetSeenMs?: number;
  figuresWrittenMs?: number;
}

/** A budget that was seen to is not looked for again before. */
const BUDGET_MS = 10 * 60_000;

/** What this process remembers of pools between passes, by the Worker's uid. All of it can be lost. */
export class PoolMemory {
  private readonly pools = new Map<string, Remembered>();

  scaling(uid: string, nowMs: number): ScalingMemory {
    return (this.of(uid).scaling ??= newMemory(nowMs));
  }

  remember(uid: string, scaling: ScalingMemory): void {
    this.of(uid).scaling = scaling;
  }

  /** Whether it is time to see to the budget: nobody tells us when one goes. */
  isBudgetDue(uid: string, nowMs: number): boolean {
    return nowMs - (this.pools.get(uid)?.budgetSeenMs ?? 0) >= BUDGET_MS;
  }

  budgetSeen(uid: string, nowMs: number): void {
    this.of(uid).budgetSeenMs = nowMs;
  }

  /** 0 before the first time. */
  figuresWrittenMs(uid: string): number {
    return this.pools.get(uid)?.figuresWrittenMs ?? 0;
  }

  figuresWritten(uid: string, nowMs: number): void {
    this.of(uid).figuresWrittenMs = nowMs;
  }

  forget(uid: string): void {
    this.pools.delete(uid);
  }

  private of(uid: string): Remembered {
    const known = this.pools.get(uid) ?? {};
    this.pools.set(uid, known);
    return known;
  }
}
