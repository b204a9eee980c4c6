import type { Snapshot } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';

/** What the deadlines work with. */
export interface DrainDeadlinesMeans {
  readonly clock: Clock;
  /** When an operator's drain of a server is over (epoch ms); null = it has no end, or does not drain. */
  readonly untilOf: (pool: string, address: string) => number | null;
  /** Ends what still runs on a slot, one after the other over `overMs`. */
  readonly close: (slot: number, overMs: number) => void;
}

/** The rest is closed over a tenth of the time that it had, so that clients do not all come back at once. */
const SPREAD_SHARE = 0.1;
const SPREAD_MS_MIN = 1_000;
const SPREAD_MS_MAX = 30_000;

interface Deadline {
  /** Epoch ms; null for a server that left. */
  readonly untilMs: number | null;
  readonly timer: RunningTimer;
}

/**
 * Ends what is left on servers that were drained for a time, and on those that left the configuration, when
 * their time is over. A server that is taken back, or comes back, keeps what it has. Cost: linear in servers
 * per snapshot.
 */
export class DrainDeadlines {
  readonly #means: DrainDeadlinesMeans;
  readonly #deadlines = new Map<number, Deadline>();
  #slots: ReadonlySet<number> = new Set();

  constructor(means: DrainDeadlinesMeans) {
    this.#means = means;
  }

  /** Takes over a published snapshot. */
  follow(snapshot: Snapshot): void {
    const { clock, untilOf } = this.#means;
    const slots = new Set<number>();
    for (const { name, servers } of snapshot.pools) {
      for (const { slot, address } of servers) {
        slots.add(slot);
        const untilMs = untilOf(name, address);
        const known = this.#deadlines.get(slot);
        if (known !== undefined && known.untilMs !== null && known.untilMs === untilMs) continue;
        this.#forget(slot);
        if (untilMs !== null) this.#set(slot, untilMs, Math.max(0, untilMs - clock.wallMs()));
      }
    }
    for (const slot of this.#slots) {
      if (slots.has(slot) || this.#deadlines.has(slot)) continue;
      this.#set(slot, null, snapshot.timeouts.drainMs);
    }
    this.#slots = slots;
  }

  stop(): void {
    for (const slot of [...this.#deadlines.keys()]) this.#forget(slot);
  }

  #set(slot: number, untilMs: number | null, inMs: number): void {
    const overMs = Math.min(Math.max(inMs * SPREAD_SHARE, SPREAD_MS_MIN), SPREAD_MS_MAX);
    const timer = this.#means.clock.after(inMs, () => {
      // A drain stays known, so that the next snapshot does not end it again.
      if (untilMs === null) this.#deadlines.delete(slot);
      this.#means.close(slot, overMs);
    });
    this.#deadlines.set(slot, { untilMs, timer });
  }

  #forget(slot: number): void {
    this.#deadlines.get(slot)?.timer.stop();
    this.#deadlines.delete(slot);
  }
}
