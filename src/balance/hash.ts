import { hashText, mix32 } from '../base/hash.ts';
import type { MaglevBuild } from './maglev.ts';
import { MeanLoad } from './mean-load.ts';
import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { isTried, isUsable, whyNone } from './usable.ts';

/**
 * No server gets more than this times its share of what is in flight. Source: Mirrokni, Thorup and
 * Zadimoghaddam, "Consistent hashing with bounded loads" (2018), with c = 1.25.
 */
const LOAD_BOUND = 1.25;

/** Entries looked at before every server is: with half of the servers gone, 1 pick in 2³² needs more. */
const WALK_MAX = 32;

/**
 * The same key to the same server, whatever the client's address, by a Maglev table over all servers
 * of the group, well or not: a verdict moves the keys of the sick server only, and each of them to a
 * place of its own, found by walking the table with a step that the key decides.
 */
export const hash: Policy & { readonly name: 'hash' } = {
  name: 'hash',
  needs: 'key',
  says: 'the same key to the same server, none above 1.25 of its share of the load',
  build: (candidates, means, members) => new HashPicker(candidates, means, members),
};

class HashPicker implements Picker {
  observedLoad = -1;
  readonly #candidates: readonly Candidate[];
  readonly #load: Load;
  readonly #means: PickerMeans;
  readonly #mean: MeanLoad;
  /** Index of the candidate that a key names, for what `#candidateOf` is made of. */
  readonly #byKey: ReadonlyMap<string, number>;
  readonly #keyHashes: Int32Array;
  #entries: Uint16Array = new Uint16Array(0);
  /** Candidate per member of the table; -1 where the member takes no traffic now. */
  #candidateOf: Int32Array = new Int32Array(0);

  constructor(candidates: readonly Candidate[], means: PickerMeans, members: readonly Candidate[]) {
    this.#candidates = candidates;
    this.#load = means.load;
    this.#means = means;
    this.#mean = new MeanLoad(candidates, means.load);
    this.#byKey = new Map(candidates.map(({ key }, at) => [key, at]));
    this.#keyHashes = Int32Array.from(candidates, ({ key }) => mix32(hashText(key, 0x27d4eb2f)));
    if (candidates.length === 0) return;
    const named = members.map(({ key, nominalWeight }) => ({ key, weight: nominalWeight }));
    this.#use(means.shelf.tableFor(named));
  }

  pick(request: PickRequest): number {
    if (this.#candidates.length === 0) return NONE;
    if (this.#means.shelf.isBuilding) this.#build();
    const entries = this.#entries;
    const length = entries.length;
    const first = mix32(request.keyHash);
    const perWeight = this.#mean.perWeightWithOne() * LOAD_BOUND;
    let position = (first >>> 0) % length;
    let step = 0;
    for (let walk = 0; walk < WALK_MAX; walk++) {
      const at = this.#candidateOf[entries[position]!]!;
      if (at >= 0 && this.#takes(at, first, request, perWeight)) return this.#picked(at);
      if (step === 0) step = ((mix32(first ^ 0x9e3779b9) >>> 0) % (length - 1)) + 1;
      position += step;
      if (position >= length) position -= length;
    }
    return this.#anyFrom(first, request, perWeight);
  }

  /** Below its bound and its limit, not tried, and of those keys that a new server has already. */
  #takes(at: number, keyHash: number, request: PickRequest, perWeight: number): boolean {
    const candidate = this.#candidates[at]!;
    const load = this.#load.of(candidate.slot);
    if (load >= Math.floor(perWeight * candidate.nominalWeight) + 1) return false;
    if (candidate.connectionsMax > 0 && load >= candidate.connectionsMax) return false;
    if (isTried(request, candidate.slot)) return false;
    if (candidate.factor < 1) {
      const part = (mix32(keyHash ^ this.#keyHashes[at]!) >>> 0) * 2 ** -32;
      if (part >= candidate.factor) return false;
    }
    this.observedLoad = load;
    return true;
  }

  #picked(at: number): number {
    this.#mean.picked();
    return this.#candidates[at]!.slot;
  }

  /**
   * The walk found none: the first below its bound in an order that the key decides, else the first
   * that may be used at all.
   */
  #anyFrom(keyHash: number, request: PickRequest, perWeight: number): number {
    const count = this.#candidates.length;
    const start = (keyHash >>> 0) % count;
    let usable = -1;
    for (let step = 0; step < count; step++) {
      const at = (start + step) % count;
      if (this.#takes(at, keyHash, request, perWeight)) return this.#picked(at);
      if (usable < 0 && isUsable(this.#candidates[at]!, request, this.#load)) usable = at;
    }
    if (usable < 0) return whyNone(this.#candidates, request);
    this.observedLoad = -1;
    return this.#picked(usable);
  }

  #build(): void {
    const table = this.#means.shelf.advance();
    if (table !== null) this.#use(table);
  }

  #use(table: MaglevBuild): void {
    this.#entries = table.entries;
    this.#candidateOf = Int32Array.from(table.members, ({ key }) => this.#byKey.get(key) ?? -1);
  }
}
