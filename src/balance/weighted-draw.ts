import type { Candidate } from './policy.ts';

/**
 * Draws an index with a chance in proportion to its weight. Cost: O(1) for equal weights, else
 * O(log servers).
 */
export class WeightedDraw {
  readonly #count: number;
  readonly #random: () => number;
  /** Sums of weights up to and including each index; empty when all weights are equal. */
  readonly #sums: Float64Array;

  constructor(candidates: readonly Candidate[], random: () => number) {
    this.#count = candidates.length;
    this.#random = random;
    const areEqual = candidates.every((candidate) => candidate.weight === candidates[0]!.weight);
    this.#sums = new Float64Array(areEqual ? 0 : candidates.length);
    let sum = 0;
    for (let at = 0; at < this.#sums.length; at++) {
      sum += candidates[at]!.weight;
      this.#sums[at] = sum;
    }
  }

  /** An index below the number of candidates, of which there must be one. */
  draw(): number {
    const sums = this.#sums;
    if (sums.length === 0) return Math.floor(this.#random() * this.#count);
    const target = this.#random() * sums[sums.length - 1]!;
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** A second index unlike `first`; there must be two candidates. */
  drawOther(first: number): number {
    const other = this.draw();
    if (other !== first) return other;
    // Redrawing until it differs has no bound with weights like 1000:1; any other server will do
    // then.
    const step = 1 + Math.floor(this.#random() * (this.#count - 1));
    return (first + step) % this.#count;
  }
}
