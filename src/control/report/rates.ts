import type { Snapshot } from '../../model/snapshot.ts';
import type { CounterReader } from '../../observe/counters.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';

const sampleEveryMs = 1_000;
/** Samples kept: ten seconds, the span that "now" means to a person who looks. */
const samplesMax = 11;

interface Sample {
  readonly atMs: number;
  readonly requests: number;
}

/** Requests per second of each server over the last ten seconds. Cost: one read per server, worker and second. */
export class RequestRates {
  readonly #counters: CounterReader;
  readonly #clock: Clock;
  readonly #timer: RunningTimer;
  #samples = new Map<number, Sample[]>();

  constructor(counters: CounterReader, clock: Clock) {
    this.#counters = counters;
    this.#clock = clock;
    this.#timer = clock.every(sampleEveryMs, () => this.#sample());
  }

  /** Follows the servers of a snapshot from now on; what is known of those that stay is kept. */
  follow(snapshot: Snapshot): void {
    const before = this.#samples;
    this.#samples = new Map();
    for (const pool of snapshot.pools) {
      for (const { slot } of pool.servers) {
        this.#samples.set(slot, before.get(slot) ?? [this.#now(slot)]);
      }
    }
  }

  /** Forgets what was seen: counters have jumped. */
  restart(): void {
    for (const slot of this.#samples.keys()) this.#samples.set(slot, [this.#now(slot)]);
  }

  /** Requests per second of a server; 0 for one that is not followed. */
  of(slot: number): number {
    const oldest = this.#samples.get(slot)?.[0];
    if (oldest === undefined) return 0;
    const now = this.#now(slot);
    const spanMs = now.atMs - oldest.atMs;
    // A slot that got a new owner starts at zero again: no rate is better than a negative one.
    return spanMs <= 0 ? 0 : Math.max(0, ((now.requests - oldest.requests) * 1000) / spanMs);
  }

  stop(): void {
    this.#timer.stop();
  }

  #sample(): void {
    for (const [slot, samples] of this.#samples) {
      samples.push(this.#now(slot));
      if (samples.length > samplesMax) samples.shift();
    }
  }

  #now(slot: number): Sample {
    const requests = this.#counters.ended('server', slot);
    return { atMs: this.#clock.nowMs(), requests };
  }
}
