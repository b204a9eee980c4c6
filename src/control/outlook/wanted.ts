import { headroom, serversFor } from '../../capacity/plan-pool.ts';

/** What is said of a pool's capacity now; it needs a plan that knows what a server can be given. */
export interface PoolOutlook {
  readonly pool: string;
  readonly headroomRatio: number;
  /** Servers for the highest minute of the last quarter of an hour, one of them lost. */
  readonly serversWanted: number;
  readonly serversUp: number;
}

/** More servers are wanted at once, fewer when the load has been lower for so long. */
const REMEMBERED_MS = 900_000;

/** Follows the load of one pool and says what it needs. */
export class WantedServers {
  #minutes: { atMs: number; rate: number }[] = [];
  /** What a server may be given, requests per second; null = not known. */
  usableRate: number | null = null;

  /** `rate`: mean of the last minute. */
  take(atMs: number, rate: number): void {
    // A lower one before a higher one will never be the highest again.
    while ((this.#minutes.at(-1)?.rate ?? Number.POSITIVE_INFINITY) <= rate) this.#minutes.pop();
    this.#minutes.push({ atMs, rate });
    while ((this.#minutes[0]?.atMs ?? atMs) <= atMs - REMEMBERED_MS) this.#minutes.shift();
  }

  /** Null while it is not known what a server can be given. */
  outlook(pool: string, serversUp: number): PoolOutlook | null {
    if (this.usableRate === null || this.usableRate <= 0) return null;
    const highest = this.#minutes[0]?.rate ?? 0;
    const now = this.#minutes.at(-1)?.rate ?? 0;
    return {
      pool,
      serversUp,
      headroomRatio: headroom(now, this.usableRate * serversUp),
      serversWanted: serversFor(highest, this.usableRate) + 1,
    };
  }
}
