/** A sleep that can be cut short. One sleeper at a time. */
export class Alarm {
  private wakesAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;

  /** Sleeps that long; less where `ringWithin` says so, or the signal is aborted. Never rejects. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const rung = new Promise<void>((resolve) => (this.wake = () => resolve()));
    const ring = () => this.wake?.();
    signal.addEventListener('abort', ring);
    this.setTimer(ms);
    await rung;
    signal.removeEventListener('abort', ring);
    clearTimeout(this.timer);
    this.wake = undefined;
  }

  /** Makes sure that a present sleep lasts no longer than that. */
  ringWithin(ms: number): void {
    if (this.wake && performance.now() + ms < this.wakesAt) this.setTimer(ms);
  }

  private setTimer(ms: number): void {
    clearTimeout(this.timer);
    this.wakesAt = performance.now() + ms;
    this.timer = setTimeout(() => this.wake?.(), ms);
  }
}
