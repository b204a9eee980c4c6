import type { Candidate } from './policy.ts';

/**
 * Draws an index with a chance in proportion to its weight. Cost: O(1) per draw, O(n) to build.
 *
 * Walker's alias method: every index has a column of the same height; the part below its threshold
 * is its own, the rest belongs to one other index.
 * Source: Vose, "A linear algorithm for generating random numbers with a given distribution" (1991).
 */
export class WeightedDraw {
  readonly #count: number;
  readonly #random: () => number;
  /** Empty when all weights are equal. */
  readonly #thresholds: Float64Array;
  readonly #aliases: Uint32Array;

  constructor(candidates: readonly Candidate[], random: () => number) {
    const count = candidates.length;
    this.#count = count;
    this.#random = random;
    const areEqual = candidates.every((candidate) => candidate.weight === candidates[0]!.weight);
    this.#thresholds = new Float64Array(areEqual ? 0 : count);
    this.#aliases = new Uint32Array(areEqual ? 0 : count);
    if (areEqual) return;
    const sum = candidates.reduce((total, { weight }) => total + weight, 0);
    const heights = Float64Array.from(candidates, ({ weight }) => (weight * count) / sum);
    const low: number[] = [];
    const high: number[] = [];
    for (let at = 0; at < count; at++) (heights[at]! < 1 ? low : high).push(at);
    while (low.length > 0 && high.length > 0) {
      const small = low.pop()!;
      const large = high[high.length - 1]!;
      this.#thresholds[small] = heights[small]!;
      this.#aliases[small] = large;
      heights[large] = heights[large]! - (1 - heights[small]!);
      if (heights[large]! < 1) low.push(high.pop()!);
    }
    // What rounding left over is a whole column of its own.
    for (const at of [...low, ...high]) this.#thresholds[at] = 1;
  }

  /** An index below the number of candidates, of which there must be one. */
  draw(): number {
    const position = this.#random() * this.#count;
    const index = Math.floor(position);
    if (this.#thresholds.length === 0) return index;
    return position - index < this.#thresholds[index]! ? index : this.#aliases[index]!;
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
