import { FlatCandidates } from './flat-candidates.ts';
import type { LatencyBook } from './latency-book.ts';
import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { whyNone } from './usable.ts';
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
  readonly #flat: FlatCandidates;
  readonly #load: Load;
  readonly #latency: LatencyBook;
  readonly #draw: WeightedDraw;
  readonly #meanEvery: number;
  #meanUs = 0;
  #picksLeft = 0;

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#flat = new FlatCandidates(candidates);
    this.#load = means.load;
    this.#latency = means.latency;
    this.#draw = new WeightedDraw(candidates, means.random);
    this.#meanEvery = Math.max(MEAN_EVERY_MIN, candidates.length);
  }

  pick(request: PickRequest): number {
    const flat = this.#flat;
    if (flat.count === 0) return NONE;
    if (--this.#picksLeft < 0) this.#renewMean();
    const first = this.#draw.draw();
    const second = flat.count > 1 ? this.#draw.drawOther(first) : first;
    const isFirstUsable = flat.isUsable(first, request, this.#load);
    const isSecondUsable = second !== first && flat.isUsable(second, request, this.#load);
    const nowMs = this.#latency.now();
    if (isFirstUsable && isSecondUsable) {
      const isFirst = this.#costOf(first, nowMs) <= this.#costOf(second, nowMs);
      return flat.slots[isFirst ? first : second]!;
    }
    if (isFirstUsable) return flat.slots[first]!;
    return isSecondUsable ? flat.slots[second]! : this.#cheapest(request, nowMs);
  }

  #costOf(at: number, nowMs: number): number {
    const slot = this.#flat.slots[at]!;
    const estimateUs = this.#latency.estimateUs(slot, nowMs) || this.#meanUs;
    return (estimateUs * (this.#load.of(slot) + 1)) / this.#flat.weights[at]!;
  }

  /** Neither of the two drawn may be used. Rare: retries and full servers only. */
  #cheapest(request: PickRequest, nowMs: number): number {
    let best = -1;
    let bestCost = 0;
    for (let at = 0; at < this.#flat.count; at++) {
      if (!this.#flat.isUsable(at, request, this.#load)) continue;
      const cost = this.#costOf(at, nowMs);
      if (best >= 0 && cost >= bestCost) continue;
      best = at;
      bestCost = cost;
    }
    return best < 0 ? whyNone(this.#candidates, request) : this.#flat.slots[best]!;
  }

  #renewMean(): void {
    this.#picksLeft = this.#meanEvery;
    const { slots } = this.#flat;
    let sum = 0;
    let count = 0;
    for (let at = 0; at < slots.length; at++) {
      const noted = this.#latency.notedUs(slots[at]!);
      sum += noted;
      if (noted > 0) count++;
    }
    this.#meanUs = count === 0 ? UNKNOWN_US : sum / count;
  }
}
