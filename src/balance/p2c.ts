import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { isUsable, whyNone } from './usable.ts';
import { WeightedDraw } from './weighted-draw.ts';

/**
 * Two servers are drawn by weight, the one with the lower load per weight wins; equal ones go to
 * the one that this worker picked less often per weight, so that an idle pool is spread by weight
 * as well.
 * Source: Mitzenmacher, "The power of two choices in randomized load balancing" (1996).
 */
export const p2c: Policy & { readonly name: 'p2c' } = {
  name: 'p2c',
  needs: 'nothing',
  says: 'of two servers drawn at random, the less loaded one',
  build: (candidates, means) => new P2cPicker(candidates, means),
};

class P2cPicker implements Picker {
  readonly observedLoad = -1;
  readonly #candidates: readonly Candidate[];
  readonly #load: Load;
  readonly #draw: WeightedDraw;
  /** Picks of this picker per candidate. */
  readonly #uses: Float64Array;

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#load = means.load;
    this.#draw = new WeightedDraw(candidates, means.random);
    this.#uses = new Float64Array(candidates.length);
  }

  pick(request: PickRequest): number {
    const candidates = this.#candidates;
    if (candidates.length === 0) return NONE;
    const first = this.#draw.draw();
    const second = candidates.length > 1 ? this.#draw.drawOther(first) : first;
    const isFirstUsable = isUsable(candidates[first]!, request, this.#load);
    const isSecondUsable = second !== first && isUsable(candidates[second]!, request, this.#load);
    let chosen = first;
    if (isFirstUsable && isSecondUsable) chosen = this.#freer(first, second);
    else if (isSecondUsable) chosen = second;
    else if (!isFirstUsable) chosen = this.#freestUsable(request);
    if (chosen < 0) return whyNone(candidates, request);
    this.#uses[chosen]! += 1;
    return candidates[chosen]!.slot;
  }

  /** Compares load/weight without dividing: a/w < b/v is a·v < b·w. */
  #freer(first: number, second: number): number {
    const one = this.#candidates[first]!;
    const other = this.#candidates[second]!;
    const oneLoad = this.#load.of(one.slot) * other.weight;
    const otherLoad = this.#load.of(other.slot) * one.weight;
    if (oneLoad !== otherLoad) return oneLoad < otherLoad ? first : second;
    return this.#uses[first]! * other.weight <= this.#uses[second]! * one.weight ? first : second;
  }

  /**
   * Neither of the two drawn may be used: the best of all that may. Rare: retries and full servers
   * only.
   */
  #freestUsable(request: PickRequest): number {
    let best = -1;
    for (let at = 0; at < this.#candidates.length; at++) {
      if (!isUsable(this.#candidates[at]!, request, this.#load)) continue;
      best = best < 0 ? at : this.#freer(best, at);
    }
    return best;
  }
}
