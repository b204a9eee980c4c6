import type { Candidate, Load } from './policy.ts';

/** Candidates that are summed up at each pick; more of them every so many picks. */
const SUMMED_PER_PICK = 64;

/**
 * The load of a group per unit of weight, over all workers. Exact for up to 64 servers; of more, the
 * sum is made anew every count/64 picks and own picks are counted in between, so that with 16
 * workers it is off by less than 16/64 of a request per server.
 *
 * Cost: on average at most 64 reads per pick, whatever the count.
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

  /** The last pick takes a place. */
  picked(): void {
    this.#sum++;
  }
}
