import { mix32 } from '../base/hash.ts';
import type { Picker, PickRequest, PolicyNeed } from './policy.ts';
import { ALL_BUSY, NONE } from './policy.ts';

/**
 * Chooses a group by its share, then a server in it; a group that has none hands on to the next in
 * order. Policies that keep a key at its server choose the group by that key as well. Cost: one
 * random number and a look per group, of which there are at most twenty.
 */
export class GroupedPicker implements Picker {
  observedLoad = -1;
  readonly #pickers: readonly Picker[];
  /** Shares of this group and those before it. */
  readonly #sums: Float64Array;
  readonly #needs: PolicyNeed;
  readonly #random: () => number;

  constructor(
    parts: readonly { readonly picker: Picker; readonly share: number }[],
    needs: PolicyNeed,
    random: () => number,
  ) {
    this.#pickers = parts.map(({ picker }) => picker);
    this.#sums = new Float64Array(parts.length);
    let sum = 0;
    for (const [at, { share }] of parts.entries()) this.#sums[at] = sum += share;
    this.#needs = needs;
    this.#random = random;
  }

  pick(request: PickRequest): number {
    const part = this.#part(request);
    let first = 0;
    while (first < this.#sums.length - 1 && this.#sums[first]! <= part) first++;
    let outcome = this.#from(first, request);
    for (let at = 0; outcome < 0 && at < this.#pickers.length; at++) {
      if (at === first) continue;
      const next = this.#from(at, request);
      if (next >= 0 || next === ALL_BUSY) outcome = next;
    }
    return outcome;
  }

  #from(at: number, request: PickRequest): number {
    const picker = this.#pickers[at];
    if (picker === undefined) return NONE;
    const slot = picker.pick(request);
    this.observedLoad = picker.observedLoad;
    return slot;
  }

  #part(request: PickRequest): number {
    if (this.#needs === 'nothing') return this.#random();
    const key = this.#needs === 'key' ? request.keyHash : request.addressHash;
    return (mix32(key ^ 0x3c6ef372) >>> 0) * 2 ** -32;
  }
}
