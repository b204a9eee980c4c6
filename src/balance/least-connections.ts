import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { smoothSequence } from './smooth-sequence.ts';
import { isTried, whyNone } from './usable.ts';

/**
 * The server with the least in flight per weight, over all workers; of equal ones the first that
 * comes in smooth weighted round robin from a shared cursor on, so that an idle pool is spread by
 * weight.
 *
 * Exact with any number of workers: the pick reports the load that it saw, and the reservation is a
 * compare-and-swap from that load. When another worker was faster, the pick is made anew.
 */
export const leastConnections: Policy & { readonly name: 'least-connections' } = {
  name: 'least-connections',
  needs: 'nothing',
  says: 'the server with the fewest exchanges in flight for its weight',
  build: (candidates, means) => new LeastConnectionsPicker(candidates, means),
};

class LeastConnectionsPicker implements Picker {
  observedLoad = -1;
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
    const candidates = this.#candidates;
    const count = candidates.length;
    if (count === 0) return NONE;
    const turn = Atomics.add(this.#cursor, this.#cursorIndex, 1) >>> 0;
    const start = this.#sequence[turn % this.#sequence.length]!;
    let best: Candidate | null = null;
    let bestLoad = 0;
    for (let step = 0; step < count; step++) {
      const candidate = candidates[start + step < count ? start + step : start + step - count]!;
      if (isTried(request, candidate.slot)) continue;
      const load = this.#load.of(candidate.slot);
      if (candidate.connectionsMax > 0 && load >= candidate.connectionsMax) continue;
      const { pendingMax } = candidate;
      if (pendingMax > 0 && this.#load.pendingOf(candidate.slot) >= pendingMax) continue;
      if (best !== null && load * best.weight >= bestLoad * candidate.weight) continue;
      best = candidate;
      bestLoad = load;
    }
    if (best === null) return whyNone(candidates, request);
    this.observedLoad = bestLoad;
    return best.slot;
  }
}
