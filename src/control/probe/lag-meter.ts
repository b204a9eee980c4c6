import type { CancelTimer, Timers } from './timers.ts';

/** How often the loop is measured: finer than any sensible probe time-out. */
const tickMs = 100;
/** Lateness below this is the timers' own grain. */
const grainMs = 10;

/**
 * Measures how much later than asked timers run: the delay of our own event loop. Its total only
 * grows, so a difference of two readings is the delay between them.
 */
export class LagMeter {
  readonly #timers: Timers;
  #totalMs = 0;
  #cancel: CancelTimer = () => {};

  constructor(timers: Timers) {
    this.#timers = timers;
    this.#tick();
  }

  /** Sum of all delays since the start, ms. */
  get totalMs(): number {
    return this.#totalMs;
  }

  stop(): void {
    this.#cancel();
  }

  #tick(): void {
    const dueMs = this.#timers.now() + tickMs;
    this.#cancel = this.#timers.after(tickMs, () => {
      const lateMs = this.#timers.now() - dueMs;
      if (lateMs > grainMs) this.#totalMs += lateMs;
      this.#tick();
    });
  }
}
