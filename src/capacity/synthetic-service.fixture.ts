/** How long the work of one request takes: all alike, or by chance around the mean. */
export type Work = 'fixed' | 'exponential';

/** A server of known capacity: so many places, each busy for the time of one request. */
export interface SyntheticServer {
  readonly places: number;
  readonly serviceMs: number;
  readonly work: Work;
}

/** What a balancer would measure of it. */
export interface Measured {
  /** Answered. */
  readonly requests: number;
  /** All their times together, ms. */
  readonly busyMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

/**
 * Requests come at random (Poisson) and wait in order for a place: exact, one event a request. State
 * goes on from one call to the next, so that a backlog stays.
 */
export class SyntheticService {
  readonly #server: SyntheticServer;
  readonly #random: () => number;
  /** When each place is free, ms. */
  readonly #freeAtMs: Float64Array;
  #nowMs = 0;

  constructor(server: SyntheticServer, random: () => number) {
    this.#server = server;
    this.#random = random;
    this.#freeAtMs = new Float64Array(server.places);
  }

  run(perSecond: number, forMs: number): Measured {
    const { serviceMs, work } = this.#server;
    const endMs = this.#nowMs + forMs;
    const times: number[] = [];
    let busyMs = 0;
    const meanGapMs = 1_000 / perSecond;
    for (let at = this.#nowMs + this.#draw(meanGapMs); at < endMs; at += this.#draw(meanGapMs)) {
      const place = this.#firstFree();
      const beginsMs = Math.max(at, this.#freeAtMs[place]!);
      const endsMs = beginsMs + (work === 'fixed' ? serviceMs : this.#draw(serviceMs));
      this.#freeAtMs[place] = endsMs;
      times.push(endsMs - at);
      busyMs += endsMs - at;
    }
    this.#nowMs = endMs;
    times.sort((a, b) => a - b);
    const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? 0;
    return { requests: times.length, busyMs, p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99) };
  }

  #draw(mean: number): number {
    return -Math.log(1 - this.#random()) * mean;
  }

  #firstFree(): number {
    let first = 0;
    for (let i = 1; i < this.#freeAtMs.length; i++) {
      if (this.#freeAtMs[i]! < this.#freeAtMs[first]!) first = i;
    }
    return first;
  }
}
