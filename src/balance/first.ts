import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { firstUsableFrom } from './usable.ts';

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

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#load = means.load;
  }

  pick(request: PickRequest): number {
    if (this.#candidates.length === 0) return NONE;
    return firstUsableFrom(0, this.#candidates, request, this.#load);
  }
}
