import { hashText, mix32 } from '../base/hash.ts';

/**
 * Divides keys among shares by weighted rendezvous hashing: share i gets the key k if
 * `weight_i / -ln(u(k, name_i))` is the greatest. A key moves only into a share whose part of the whole
 * grew, and out of one whose part shrank; no state, the same on every machine, whatever the order.
 *
 * Source: Schindelhauer and Schomaker, Weighted Distributed Hash Tables (SPAA 2005); Thaler and
 * Ravishankar's rendezvous hashing (1998). Formula and figures: docs/decisions/0024.
 */
export class SplitTable {
  readonly #seeds: Int32Array;
  readonly #weights: Float64Array;
  readonly #sum: number;

  /** `shares`: at least one weight is above 0. */
  constructor(shares: readonly { readonly pool: string; readonly weight: number }[]) {
    this.#seeds = Int32Array.from(shares, ({ pool }) => mix32(hashText(pool)));
    this.#weights = Float64Array.from(shares, ({ weight }) => weight);
    this.#sum = this.#weights.reduce((sum, weight) => sum + weight, 0);
  }

  /** Index of the share that a key belongs to. `key`: any int32. Cost: a logarithm per share. */
  of(key: number): number {
    const spread = mix32(key);
    let best = 0;
    let bestScore = -1;
    for (let index = 0; index < this.#weights.length; index++) {
      // 0 < u < 1: half a step off both ends
      const u = ((mix32(spread ^ this.#seeds[index]!) >>> 0) + 0.5) / 2 ** 32;
      const score = this.#weights[index]! / -Math.log(u);
      if (score > bestScore) {
        bestScore = score;
        best = index;
      }
    }
    return best;
  }

  /** Index of the share for a random number, 0 ≤ x < 1. */
  draw(x: number): number {
    let rest = x * this.#sum;
    for (let index = 0; index < this.#weights.length; index++) {
      rest -= this.#weights[index]!;
      if (rest < 0) return index;
    }
    return this.#weights.findLastIndex((weight) => weight > 0);
  }
}
