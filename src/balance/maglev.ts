import { hashText, mix32 } from '../base/hash.ts';
import { invariant } from '../base/invariant.ts';

/** A server as the table knows it. */
export interface MaglevMember {
  /** Its name, the same on every machine. */
  readonly key: string;
  /** ≥ 1. */
  readonly weight: number;
}

/**
 * Lengths of tables: primes, so that every step walks through all of a table. 65,537 is the paper's
 * small one; larger pools take the first that has 100 entries per server, which keeps shares within
 * 1 %.
 */
const LENGTHS = [65_537, 131_101, 262_147, 524_309, 1_048_583] as const;
const ENTRIES_PER_MEMBER = 100;
/** The members are numbered in 16 bits, and the last number means "empty". */
const EMPTY = 0xffff;

/** How long the table of so many members is. */
export function maglevLength(members: number): number {
  const wanted = members * ENTRIES_PER_MEMBER;
  return LENGTHS.find((length) => length >= wanted) ?? LENGTHS[LENGTHS.length - 1]!;
}

/**
 * A Maglev table under construction: each member, in the order of keys, claims the next free entry
 * of a permutation of its own; one with half the greatest weight claims every second round. The
 * result depends on keys and weights only, not on the order in which they are given.
 *
 * Cost: about length × ln(length) looks into the table, which `advance` may spread.
 * Source: Eisenbud and others, "Maglev: A Fast and Reliable Software Network Load Balancer" (2016),
 * §3.4; the weights as in Envoy's maglev_lb.cc.
 */
export class MaglevBuild {
  /** Member index per entry; valid when `isComplete`. */
  readonly entries: Uint16Array;
  /** In the order of their keys. */
  readonly members: readonly MaglevMember[];
  readonly #positions: Uint32Array;
  readonly #steps: Uint32Array;
  readonly #credits: Float64Array;
  readonly #weightMax: number;
  #filled = 0;
  #turn = 0;

  constructor(members: readonly MaglevMember[]) {
    invariant(members.length > 0 && members.length < EMPTY, 'a table has 1 to 65,534 members');
    const length = maglevLength(members.length);
    this.members = sortedByKey(members);
    this.entries = new Uint16Array(length).fill(EMPTY);
    this.#positions = new Uint32Array(members.length);
    this.#steps = new Uint32Array(members.length);
    this.#credits = new Float64Array(members.length);
    let weightMax = 0;
    for (const [at, { key, weight }] of this.members.entries()) {
      this.#positions[at] = (mix32(hashText(key)) >>> 0) % length;
      this.#steps[at] = ((mix32(hashText(key, 0x5bd1e995)) >>> 0) % (length - 1)) + 1;
      weightMax = Math.max(weightMax, weight);
    }
    this.#weightMax = weightMax;
  }

  get isComplete(): boolean {
    return this.#filled === this.entries.length;
  }

  /** Goes on for about so many looks into the table; true when it is complete. */
  advance(looks: number): boolean {
    const { entries, members } = this;
    const length = entries.length;
    let left = looks;
    while (this.#filled < length && left > 0) {
      const member = this.#turn;
      this.#turn = member + 1 === members.length ? 0 : member + 1;
      left--;
      const credit = this.#credits[member]! + members[member]!.weight;
      if (credit < this.#weightMax) {
        this.#credits[member] = credit;
        continue;
      }
      this.#credits[member] = credit - this.#weightMax;
      const step = this.#steps[member]!;
      let position = this.#positions[member]!;
      while (entries[position] !== EMPTY) {
        position += step;
        if (position >= length) position -= length;
        left--;
      }
      entries[position] = member;
      this.#positions[member] = position;
      this.#filled++;
    }
    return this.#filled === length;
  }
}

/** By code units: the same on every machine, whatever its language. */
function sortedByKey(members: readonly MaglevMember[]): readonly MaglevMember[] {
  return [...members].sort((one, other) =>
    one.key < other.key ? -1 : one.key > other.key ? 1 : 0,
  );
}
