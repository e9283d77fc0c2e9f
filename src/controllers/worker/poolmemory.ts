import { newMemory, type ScalingMemory } from './memory.ts';

interface Remembered {
  scaling?: ScalingMemory;
  hasBudget?: boolean;
  figuresWrittenMs?: number;
}

/** What this process remembers of pools between passes, by the Worker's uid. All of it can be lost. */
export class PoolMemory {
  private readonly pools = new Map<string, Remembered>();

  scaling(uid: string, nowMs: number): ScalingMemory {
    return (this.of(uid).scaling ??= newMemory(nowMs));
  }

  remember(uid: string, scaling: ScalingMemory): void {
    this.of(uid).scaling = scaling;
  }

  hasBudget(uid: string): boolean {
    return this.pools.get(uid)?.hasBudget ?? false;
  }

  budgetSeen(uid: string): void {
    this.of(uid).hasBudget = true;
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
