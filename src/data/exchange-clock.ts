import { TimerEntry } from '../base/timing-wheel.ts';
import type { Driver } from '../platform/driver.ts';
import type { Exchange } from './exchange.ts';
import { type FailoverState, NEVER } from './failover-state.ts';
import type { FineTimers } from './fine-timers.ts';

/** Watches the moments in `FailoverState` of exchanges that have any. One per worker. */
export class ExchangeClock {
  readonly #driver: Driver;
  readonly #timers: FineTimers;
  readonly #onDue: (exchange: Exchange, nowMs: number) => void;

  /** `onDue` looks at what is due and calls `watch` again for the rest. */
  constructor(
    driver: Driver,
    timers: FineTimers,
    onDue: (exchange: Exchange, nowMs: number) => void,
  ) {
    this.#driver = driver;
    this.#timers = timers;
    this.#onDue = onDue;
  }

  /** The request begins: what its rule limits in all. */
  start(exchange: Exchange): void {
    const { failover } = exchange;
    const { totalMs } = failover.rule.rule;
    failover.isArmed = true;
    if (totalMs > 0) failover.deadlineAtMs = exchange.startedAtMs + totalMs;
  }

  /** A try begins: what its rule limits of each. */
  startTry(exchange: Exchange): void {
    const { failover } = exchange;
    const { perTryMs, hedge } = failover.rule.rule;
    failover.pauseUntilMs = NEVER;
    failover.tryUntilMs = perTryMs > 0 ? this.#driver.now() + perTryMs : NEVER;
    const isHedged = hedge !== null && failover.hedges < hedge.max;
    failover.hedgeAtMs = isHedged ? this.#driver.preciseNow() + hedge.afterMs : NEVER;
    this.watch(exchange);
  }

  /** The next try begins after a pause. */
  pause(exchange: Exchange, pauseMs: number): void {
    const { failover } = exchange;
    failover.pauseUntilMs = this.#driver.preciseNow() + pauseMs;
    failover.tryUntilMs = NEVER;
    failover.hedgeAtMs = NEVER;
    this.watch(exchange);
  }

  /** Sets the timer for the first of the moments that are watched. */
  watch(exchange: Exchange): void {
    const { failover } = exchange;
    const atMs = firstOf(failover);
    if (atMs === NEVER) return;
    failover.entry ??= new TimerEntry((nowMs) => this.#onDue(exchange, nowMs));
    failover.isArmed = true;
    this.#timers.schedule(failover.entry, atMs);
  }

  /** Nothing is watched any more. */
  stop(failover: FailoverState): void {
    failover.isArmed = false;
    failover.pauseUntilMs = NEVER;
    failover.tryUntilMs = NEVER;
    failover.deadlineAtMs = NEVER;
    failover.hedgeAtMs = NEVER;
    if (failover.entry !== null) this.#timers.cancel(failover.entry);
  }
}

function firstOf(failover: FailoverState): number {
  const { pauseUntilMs, tryUntilMs, deadlineAtMs, hedgeAtMs } = failover;
  return Math.min(pauseUntilMs, tryUntilMs, deadlineAtMs, hedgeAtMs);
}
