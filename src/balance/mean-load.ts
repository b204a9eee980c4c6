import type { Candidate, Load } from './policy.ts';

/** Candidates that are summed up per pick; of more, all of them every so many picks. */
const SUMMED_PER_PICK = 8;

/**
 * The load of a group per unit of weight, over all workers. Exact for up to 8 servers; of more, the
 * sum is made anew every count/8 picks. What comes and goes in between is left out: it is about as
 * much, and at most one request per server with 8 workers.
 *
 * Cost: on average at most 8 reads per pick, whatever the count.
 */
export class MeanLoad {
  readonly #slots: Int32Array;
  readonly #load: Load;
  readonly #weight: number;
  readonly #every: number;
  #sum = 0;
  #asksLeft = 0;

  constructor(candidates: readonly Candidate[], load: Load) {
    this.#slots = Int32Array.from(candidates, ({ slot }) => slot);
    this.#load = load;
    this.#weight = candidates.reduce((sum, { nominalWeight }) => sum + nominalWeight, 0);
    this.#every = Math.ceil(candidates.length / SUMMED_PER_PICK);
  }

  /** As it would be with one more in flight. Ask once per pick. */
  perWeightWithOne(): number {
    if (--this.#asksLeft < 0) {
      this.#asksLeft = this.#every - 1;
      let sum = 0;
      for (let at = 0; at < this.#slots.length; at++) sum += this.#load.of(this.#slots[at]!);
      this.#sum = sum;
    }
    return (this.#sum + 1) / this.#weight;
  }
}
