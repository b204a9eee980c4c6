import { FlatCandidates } from './flat-candidates.ts';
import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { whyNone } from './usable.ts';
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
  readonly #flat: FlatCandidates;
  readonly #load: Load;
  readonly #draw: WeightedDraw;
  /** Picks of this picker per candidate. */
  readonly #uses: Float64Array;

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#flat = new FlatCandidates(candidates);
    this.#load = means.load;
    this.#draw = new WeightedDraw(candidates, means.random);
    this.#uses = new Float64Array(candidates.length);
  }

  pick(request: PickRequest): number {
    const flat = this.#flat;
    if (flat.count === 0) return NONE;
    const first = this.#draw.draw();
    const second = flat.count > 1 ? this.#draw.drawOther(first) : first;
    const isFirstUsable = flat.isUsable(first, request, this.#load);
    const isSecondUsable = second !== first && flat.isUsable(second, request, this.#load);
    let chosen = first;
    if (isFirstUsable && isSecondUsable) chosen = this.#freer(first, second);
    else if (isSecondUsable) chosen = second;
    else if (!isFirstUsable) chosen = this.#freestUsable(request);
    if (chosen < 0) return whyNone(this.#candidates, request);
    this.#uses[chosen]! += 1;
    return flat.slots[chosen]!;
  }

  /** Compares load/weight without dividing: a/w < b/v is a·v < b·w. */
  #freer(first: number, second: number): number {
    const { slots, weights } = this.#flat;
    const weight = weights[first]!;
    const otherWeight = weights[second]!;
    const load = this.#load.of(slots[first]!) * otherWeight;
    const otherLoad = this.#load.of(slots[second]!) * weight;
    if (load !== otherLoad) return load < otherLoad ? first : second;
    return this.#uses[first]! * otherWeight <= this.#uses[second]! * weight ? first : second;
  }

  /**
   * Neither of the two drawn may be used: the best of all that may. Rare: retries and full servers
   * only.
   */
  #freestUsable(request: PickRequest): number {
    let best = -1;
    for (let at = 0; at < this.#flat.count; at++) {
      if (!this.#flat.isUsable(at, request, this.#load)) continue;
      best = best < 0 ? at : this.#freer(best, at);
    }
    return best;
  }
}
