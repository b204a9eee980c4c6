import type { LatencyBook } from './latency-book.ts';
import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { isUsable, whyNone } from './usable.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** The mean that new servers start at is made anew after so many picks, or one per server. */
const MEAN_EVERY_MIN = 64;
/** Nobody has answered yet: any number does, as it is the same for all. */
const UNKNOWN_US = 1_000;

/**
 * Of two servers drawn by weight, the one with the lower cost: what it took to answer lately ×
 * (in flight + 1) / weight. A server that never answered counts as the mean of the others: at zero
 * it would be flooded.
 * Source: Finagle's PeakEwma; the start at the mean: ingress-nginx' ewma.lua.
 */
export const leastLatency: Policy & { readonly name: 'least-latency' } = {
  name: 'least-latency',
  needs: 'nothing',
  says: 'of two servers drawn at random, the one with the lower recent latency × load',
  build: (candidates, means) => new LeastLatencyPicker(candidates, means),
};

class LeastLatencyPicker implements Picker {
  readonly observedLoad = -1;
  readonly #candidates: readonly Candidate[];
  readonly #load: Load;
  readonly #latency: LatencyBook;
  readonly #draw: WeightedDraw;
  readonly #meanEvery: number;
  #meanUs = 0;
  #picksLeft = 0;

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#load = means.load;
    this.#latency = means.latency;
    this.#draw = new WeightedDraw(candidates, means.random);
    this.#meanEvery = Math.max(MEAN_EVERY_MIN, candidates.length);
  }

  pick(request: PickRequest): number {
    const candidates = this.#candidates;
    if (candidates.length === 0) return NONE;
    if (--this.#picksLeft < 0) this.#renewMean();
    const first = this.#draw.draw();
    const second = candidates.length > 1 ? this.#draw.drawOther(first) : first;
    const one = candidates[first]!;
    const other = candidates[second]!;
    const isFirstUsable = isUsable(one, request, this.#load);
    const isSecondUsable = second !== first && isUsable(other, request, this.#load);
    if (isFirstUsable && isSecondUsable) {
      return this.#costOf(one) <= this.#costOf(other) ? one.slot : other.slot;
    }
    if (isFirstUsable) return one.slot;
    return isSecondUsable ? other.slot : this.#cheapest(request);
  }

  #costOf({ slot, weight }: Candidate): number {
    const estimateUs = this.#latency.estimateUs(slot) || this.#meanUs;
    return (estimateUs * (this.#load.of(slot) + 1)) / weight;
  }

  /** Neither of the two drawn may be used. Rare: retries and full servers only. */
  #cheapest(request: PickRequest): number {
    let best: Candidate | null = null;
    let bestCost = 0;
    for (const candidate of this.#candidates) {
      if (!isUsable(candidate, request, this.#load)) continue;
      const cost = this.#costOf(candidate);
      if (best !== null && cost >= bestCost) continue;
      best = candidate;
      bestCost = cost;
    }
    return best === null ? whyNone(this.#candidates, request) : best.slot;
  }

  #renewMean(): void {
    this.#picksLeft = this.#meanEvery;
    let sum = 0;
    let count = 0;
    for (let at = 0; at < this.#candidates.length; at++) {
      const noted = this.#latency.notedUs(this.#candidates[at]!.slot);
      sum += noted;
      if (noted > 0) count++;
    }
    this.#meanUs = count === 0 ? UNKNOWN_US : sum / count;
  }
}
