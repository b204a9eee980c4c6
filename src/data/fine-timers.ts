import { type TimerEntry, TimingWheel } from '../base/timing-wheel.ts';
import { limits } from '../model/limits.ts';
import type { Driver } from '../platform/driver.ts';

/**
 * Timers to within 5 ms, for waits that a tick of 50 ms would double: back-off, hedging, queues. While none is
 * set nothing runs; else the driver's alarm rings for the one that is due next. Cost: as the wheel's, and one
 * system timer per alarm.
 */
export class FineTimers {
  readonly #wheel: TimingWheel;
  readonly #driver: Driver;
  readonly #ring: (nowMs: number) => void = (nowMs) => this.advance(nowMs);
  #alarmAtMs = Number.POSITIVE_INFINITY;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#wheel = new TimingWheel(limits.fineTickMs, driver.preciseNow());
  }

  schedule(entry: TimerEntry, atMs: number): void {
    this.#wheel.schedule(entry, atMs);
    if (atMs < this.#alarmAtMs) this.#wakeAt(atMs);
  }

  cancel(entry: TimerEntry): void {
    this.#wheel.cancel(entry);
  }

  /** Fires what is due. Called by the alarm, and at every tick in case that is first. */
  advance(nowMs: number): void {
    if (nowMs < this.#alarmAtMs) return;
    this.#alarmAtMs = Number.POSITIVE_INFINITY;
    this.#wheel.advance(nowMs);
    const nextMs = this.#wheel.nextDueMs();
    // A callback may have asked for an earlier one already.
    if (nextMs < this.#alarmAtMs) this.#wakeAt(nextMs);
  }

  #wakeAt(atMs: number): void {
    this.#alarmAtMs = atMs;
    // One tick later: the wheel rounds up, and a ring before its time would have to be repeated.
    const inMs = Math.max(1, Math.ceil(atMs - this.#driver.preciseNow()) + limits.fineTickMs);
    this.#driver.alarm(inMs, this.#ring);
  }
}
