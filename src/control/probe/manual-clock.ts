import { invariant } from '../../base/invariant.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';

/** A clock turned by hand: for tests and simulation. Callbacks run in order of their due time. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #sequence = 0;
  #pending: { dueMs: number; sequence: number; run: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  /** The epoch of this clock is 1,000,000 ms, so that a mix-up of the two clocks shows. */
  wallMs(): number {
    return 1_000_000 + this.#nowMs;
  }

  after(delayMs: number, run: () => void): RunningTimer {
    const entry = { dueMs: this.#nowMs + delayMs, sequence: this.#sequence++, run };
    this.#pending.push(entry);
    return {
      stop: () => {
        this.#pending = this.#pending.filter((other) => other !== entry);
      },
    };
  }

  every(everyMs: number, run: () => void): RunningTimer {
    let timer: RunningTimer;
    const again = (): void => {
      timer = this.after(everyMs, again);
      run();
    };
    timer = this.after(everyMs, again);
    return { stop: () => timer.stop() };
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Moves the clock on, running what falls due, also what those callbacks schedule within the time. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let steps = 0; ; steps++) {
      invariant(steps < 1_000_000, 'timers do not schedule one another without time passing');
      const next = this.#pending
        .filter((entry) => entry.dueMs <= untilMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence)[0];
      if (next === undefined) break;
      this.#pending = this.#pending.filter((entry) => entry !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }

  /** Moves the clock on without running anything: what a stalled event loop looks like. */
  stall(byMs: number): void {
    this.#nowMs += byMs;
  }
}
