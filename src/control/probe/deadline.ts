import type { Clock, RunningTimer } from '../../platform/clock.ts';

/** Extensions of one time-out for our own delays; a loop that lags all the time must not stop probing. */
const extensionsMax = 4;
/** Delays below this are the timer's own grain. */
const lagNoticedMs = 20;

/** What a deadline is measured with. */
export interface DeadlineMeans {
  readonly clock: Clock;
  /** Total of our own event loop's delays so far, in ms: see `LagMeter`. */
  readonly lagMs: () => number;
}

/**
 * The time-out of a probe. It is extended by what our own event loop was late meanwhile: an answer may
 * then be waiting unread, and a stall of ours must not take servers out.
 */
export class Deadline {
  readonly #means: DeadlineMeans;
  readonly #timeoutMs: number;
  readonly #onLate: () => void;
  readonly #lagAtStartMs: number;
  #grantedMs = 0;
  #extensions = 0;
  #timer: RunningTimer;

  constructor(means: DeadlineMeans, timeoutMs: number, onLate: () => void) {
    this.#means = means;
    this.#timeoutMs = timeoutMs;
    this.#onLate = onLate;
    this.#lagAtStartMs = means.lagMs();
    this.#timer = this.#arm(timeoutMs);
  }

  stop(): void {
    this.#timer.stop();
  }

  #arm(delayMs: number): RunningTimer {
    const { clock } = this.#means;
    const dueMs = clock.nowMs() + delayMs;
    return clock.after(delayMs, () => this.#onTimer(clock.nowMs() - dueMs));
  }

  #onTimer(lateMs: number): void {
    const lagSinceStartMs = this.#means.lagMs() - this.#lagAtStartMs - this.#grantedMs;
    const extensionMs = Math.min(Math.max(lateMs, lagSinceStartMs), this.#timeoutMs);
    if (extensionMs < lagNoticedMs || this.#extensions >= extensionsMax) {
      this.#onLate();
      return;
    }
    this.#extensions++;
    this.#grantedMs += extensionMs;
    this.#timer = this.#arm(extensionMs);
  }
}
