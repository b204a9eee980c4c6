import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { firstUsableFrom, isUsable } from './usable.ts';

/** The first server in written order that is usable; the next one takes what exceeds its limit. */
export const first: Policy & { readonly name: 'first' } = {
  name: 'first',
  needs: 'nothing',
  says: 'the first server in written order that is healthy and below its limit',
  build: (candidates, means) => new FirstPicker(candidates, means),
};

class FirstPicker implements Picker {
  readonly observedLoad = -1;
  readonly #candidates: readonly Candidate[];
  readonly #load: Load;
  readonly #random: () => number;
  /** Some server gets a part of its weight only. */
  readonly #areRamps: boolean;

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#load = means.load;
    this.#random = means.random;
    this.#areRamps = candidates.some(({ factor }) => factor < 1);
  }

  pick(request: PickRequest): number {
    if (this.#candidates.length === 0) return NONE;
    const ramped = this.#areRamps ? this.#firstByFactor(request) : NONE;
    return ramped >= 0 ? ramped : firstUsableFrom(0, this.#candidates, request, this.#load);
  }

  /** Weights mean nothing here, but who gets a part of its weight gets that part of the requests. */
  #firstByFactor(request: PickRequest): number {
    for (const candidate of this.#candidates) {
      if (candidate.factor < 1 && this.#random() >= candidate.factor) continue;
      if (isUsable(candidate, request, this.#load)) return candidate.slot;
    }
    return NONE;
  }
}
