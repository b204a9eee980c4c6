import { hashText, mix32 } from '../base/hash.ts';
import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { isUsable, whyNone } from './usable.ts';

/**
 * Buckets of addresses: 16 for each of 4,096 servers, so that even then shares stay within a third
 * or so.
 */
const BUCKETS = 65_536;
const UNKNOWN = 0xffff;

/**
 * The same client address goes to the same server, after restarts and on every machine with the
 * same servers. When one leaves, only its clients move; when one comes, only those it takes.
 *
 * Rendezvous hashing over 65,536 buckets of addresses: each server has a pseudo-random number u in
 * (0, 1) per bucket, and the greatest ln(u) / weight wins. A bucket's winner is found at its first
 * use and kept. When it may not be used, the next best one stands in, the same one each time.
 * Source: Thaler and Ravishankar (1998); the weights: Schindelhauer and Schomaker, "Weighted
 * distributed hash tables" (2005).
 */
export const ipHash: Policy & { readonly name: 'ip-hash' } = {
  name: 'ip-hash',
  needs: 'address',
  says: 'the same client address to the same server, few moves when servers change',
  build: (candidates, means) => new IpHashPicker(candidates, means),
};

class IpHashPicker implements Picker {
  readonly observedLoad = -1;
  readonly #candidates: readonly Candidate[];
  readonly #load: Load;
  /**
   * Two independent hashes of each key: with one of 32 bits, 1 of 500 pools of 4,096 servers would
   * have twins.
   */
  readonly #keys: Int32Array;
  readonly #winners: Uint16Array = new Uint16Array(BUCKETS).fill(UNKNOWN);

  constructor(candidates: readonly Candidate[], means: PickerMeans) {
    this.#candidates = candidates;
    this.#load = means.load;
    this.#keys = new Int32Array(2 * candidates.length);
    for (const [at, { key }] of candidates.entries()) {
      this.#keys[2 * at] = mix32(hashText(key));
      this.#keys[2 * at + 1] = mix32(hashText(key, 0x5bd1e995));
    }
  }

  pick(request: PickRequest): number {
    if (this.#candidates.length === 0) return NONE;
    const bucket = mix32(request.addressHash) >>> 16;
    let winner = this.#winners[bucket]!;
    if (winner === UNKNOWN) {
      winner = this.#best(bucket, null);
      this.#winners[bucket] = winner;
    }
    if (isUsable(this.#candidates[winner]!, request, this.#load)) {
      return this.#candidates[winner]!.slot;
    }
    const next = this.#best(bucket, request);
    return next < 0 ? whyNone(this.#candidates, request) : this.#candidates[next]!.slot;
  }

  /** The winner among all servers, or among those that `request` may use. Cost: O(servers). */
  #best(bucket: number, request: PickRequest | null): number {
    let best = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < this.#candidates.length; at++) {
      const candidate = this.#candidates[at]!;
      if (request !== null && !isUsable(candidate, request, this.#load)) continue;
      const mixed = mix32(mix32(bucket ^ this.#keys[2 * at]!) + this.#keys[2 * at + 1]!);
      // Half a step off both ends: ln(0) would make the weight meaningless.
      const score = Math.log(((mixed >>> 0) + 0.5) * 2 ** -32) / candidate.weight;
      if (score > bestScore) {
        best = at;
        bestScore = score;
      }
    }
    return best;
  }
}
