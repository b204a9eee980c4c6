import type { Clock, RunningTimer } from '../../platform/clock.ts';

/** How often the loop is measured: finer than any sensible probe time-out. */
const tickMs = 100;
/** Lateness below this is the clock' own grain. */
const grainMs = 10;

/**
 * Measures how much later than asked clock run: the delay of our own event loop. Its total only
 * grows, so a difference of two readings is the delay between them.
 */
export class LagMeter {
  readonly #clock: Clock;
  #totalMs = 0;
  #timer: RunningTimer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tick();
  }

  /** Sum of all delays since the start, ms. */
  get totalMs(): number {
    return this.#totalMs;
  }

  stop(): void {
    this.#timer?.stop();
  }

  #tick(): void {
    const dueMs = this.#clock.nowMs() + tickMs;
    this.#timer = this.#clock.after(tickMs, () => {
      const lateMs = this.#clock.nowMs() - dueMs;
      if (lateMs > grainMs) this.#totalMs += lateMs;
      this.#tick();
    });
  }
}
