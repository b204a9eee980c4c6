import { hashText, mix32 } from '../base/hash.ts';
import type { MaglevBuild } from './maglev.ts';
import type { MaglevShelf } from './maglev-shelf.ts';
import { MeanLoad } from './mean-load.ts';
import type { Candidate, Load, Picker, PickerMeans, PickRequest, Policy } from './policy.ts';
import { NONE } from './policy.ts';
import { firstUsableFrom, isTried } from './usable.ts';

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
  readonly #shelf: MaglevShelf;
  readonly #mean: MeanLoad;
  /** Some candidate has a limit or gets a part of its weight only. */
  readonly #areSpecial: boolean;
  #entries: Uint16Array = new Uint16Array(0);
  /** By member of the table: its slot, -1 where it takes no traffic now, and its weight. */
  #slots: Int32Array = new Int32Array(0);
  #weights: Float64Array = new Float64Array(0);
  /** By member of the table, where some candidate is special. */
  #special: readonly (Special | null)[] = [];

  constructor(candidates: readonly Candidate[], means: PickerMeans, members: readonly Candidate[]) {
    this.#candidates = candidates;
    this.#load = means.load;
    this.#shelf = means.shelf;
    this.#mean = new MeanLoad(candidates, means.load);
    this.#areSpecial = candidates.some(
      ({ connectionsMax, pendingMax, factor }) =>
        connectionsMax > 0 || pendingMax > 0 || factor < 1,
    );
    if (candidates.length === 0) return;
    this.#use(means.shelf.tableFor(members));
  }

  pick(request: PickRequest): number {
    if (this.#candidates.length === 0) return NONE;
    if (this.#shelf.isBuilding) this.#build();
    const entries = this.#entries;
    const length = entries.length;
    const first = mix32(request.keyHash);
    const perWeight = this.#mean.perWeightWithOne() * LOAD_BOUND;
    // Not `%`: of unsigned 32 bits it is a division of doubles, a third of the whole pick.
    let position = Math.floor((first >>> 0) * 2 ** -32 * length);
    let step = 0;
    for (let walk = 0; walk < WALK_MAX; walk++) {
      const member = entries[position]!;
      if (this.#takes(member, first, request, perWeight)) return this.#slots[member]!;
      if (step === 0) step = stepOf(first, length);
      position += step;
      if (position >= length) position -= length;
    }
    return this.#anyFrom(first, request, perWeight);
  }

  /** Below its bound and its limit, not tried, and of those keys that a new server has already. */
  #takes(member: number, keyHash: number, request: PickRequest, perWeight: number): boolean {
    const slot = this.#slots[member]!;
    if (slot < 0) return false;
    const load = this.#load.of(slot);
    if (load >= Math.floor(perWeight * this.#weights[member]!) + 1) return false;
    if (request.triedCount > 0 && isTried(request, slot)) return false;
    if (this.#areSpecial) {
      const { connectionsMax, pendingMax, factor, keyHash: own } = this.#special[member]!;
      if (connectionsMax > 0 && load >= connectionsMax) return false;
      if (pendingMax > 0 && this.#load.pendingOf(slot) >= pendingMax) return false;
      if (factor < 1 && (mix32(keyHash ^ own) >>> 0) * 2 ** -32 >= factor) return false;
    }
    this.observedLoad = load;
    return true;
  }

  /**
   * The walk found none: the first below its bound in an order that the key decides, else the first
   * that may be used at all.
   */
  #anyFrom(keyHash: number, request: PickRequest, perWeight: number): number {
    const count = this.#slots.length;
    const start = (keyHash >>> 0) % count;
    for (let step = 0; step < count; step++) {
      const member = (start + step) % count;
      if (this.#takes(member, keyHash, request, perWeight)) return this.#slots[member]!;
    }
    this.observedLoad = -1;
    const from = (keyHash >>> 0) % this.#candidates.length;
    return firstUsableFrom(from, this.#candidates, request, this.#load);
  }

  #build(): void {
    const table = this.#shelf.advance();
    if (table !== null) this.#use(table);
  }

  /** The table may be older than the candidates: members that left take nothing, new ones wait for theirs. */
  #use({ entries, members }: MaglevBuild): void {
    const byKey = new Map(this.#candidates.map((candidate) => [candidate.key, candidate]));
    const candidates = members.map(({ key }) => byKey.get(key) ?? null);
    this.#entries = entries;
    this.#slots = Int32Array.from(candidates, (candidate) => candidate?.slot ?? -1);
    this.#weights = Float64Array.from(candidates, (candidate) => candidate?.nominalWeight ?? 0);
    if (this.#areSpecial) this.#special = candidates.map(specialOf);
  }
}

/** 1 … length - 1. */
function stepOf(keyHash: number, length: number): number {
  return Math.floor((mix32(keyHash ^ 0x9e3779b9) >>> 0) * 2 ** -32 * (length - 1)) + 1;
}

interface Special {
  readonly connectionsMax: number;
  readonly pendingMax: number;
  readonly factor: number;
  readonly keyHash: number;
}

function specialOf(candidate: Candidate | null): Special | null {
  if (candidate === null) return null;
  const { connectionsMax, pendingMax, factor, key } = candidate;
  return { connectionsMax, pendingMax, factor, keyHash: mix32(hashText(key, 0x27d4eb2f)) };
}
