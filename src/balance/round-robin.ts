import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { smoothSequence } from './smooth-sequence.ts';
import { firstUsableFrom, isUsable } from './usable.ts';

/** Steps of the shared cursor that one pick may use up before it looks at every server instead. */
const STEPS_MAX = 64;

/**
 * Smooth weighted round robin, exact over all workers: they share one cursor into the same
 * sequence. A server that is full or was tried is passed over, and its turn is used up.
 */
export const roundRobin: Policy & { readonly name: 'round-robin' } = {
  name: 'round-robin',
  needs: 'nothing',
  says: 'one server after the other, each as often as its weight, evenly interleaved',
  build: (candidates, means) => new RoundRobinPicker(candidates, means),
};

class RoundRobinPicker implements Picker {
  readonly observedLoad = -1;
  readonly #candidates: readonly Candidate[];
  readonly #load: Load;
  readonly #cursor: Int32Array;
  readonly #cursorIndex: number;
  readonly #sequence: Uint16Array;

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#load = means.load;
    this.#cursor = means.cursor;
    this.#cursorIndex = means.cursorIndex;
    this.#sequence = smoothSequence(candidates);
  }

  pick(request: PickRequest): number {
    const sequence = this.#sequence;
    const period = sequence.length;
    if (period === 0) return NONE;
    const steps = Math.min(period, STEPS_MAX);
    let index = 0;
    for (let step = 0; step < steps; step++) {
      // `>>> 0`: the cursor wraps to negative numbers after 2³¹ picks.
      const turn = (Atomics.add(this.#cursor, this.#cursorIndex, 1) >>> 0) % period;
      index = sequence[turn]!;
      const candidate = this.#candidates[index]!;
      if (isUsable(candidate, request, this.#load)) return candidate.slot;
    }
    return firstUsableFrom(index, this.#candidates, request, this.#load);
  }
}
