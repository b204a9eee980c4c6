import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { firstUsableFrom, isUsable } from './usable.ts';
import { WeightedDraw } from './weighted-draw.ts';

/**
 * Draws before a pick takes the next usable server in order: enough that the order rarely shows.
 */
const DRAWS_MAX = 4;

/** A server at random, in proportion to its weight. */
export const random: Policy & { readonly name: 'random' } = {
  name: 'random',
  needs: 'nothing',
  says: 'a server at random, in proportion to its weight',
  build: (candidates, means) => new RandomPicker(candidates, means),
};

class RandomPicker implements Picker {
  readonly observedLoad = -1;
  readonly #candidates: readonly Candidate[];
  readonly #load: Load;
  readonly #draw: WeightedDraw;

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#load = means.load;
    this.#draw = new WeightedDraw(candidates, means.random);
  }

  pick(request: PickRequest): number {
    if (this.#candidates.length === 0) return NONE;
    let index = 0;
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      index = this.#draw.draw();
      const candidate = this.#candidates[index]!;
      if (isUsable(candidate, request, this.#load)) return candidate.slot;
    }
    return firstUsableFrom(index, this.#candidates, request, this.#load);
  }
}
