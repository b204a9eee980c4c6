import { MaglevBuild, type MaglevMember } from './maglev.ts';

/**
 * Looks per pick while the next table is being built: some 30 µs each, so that a table of 10,000
 * servers (a quarter of a second of work) stalls nobody.
 */
const LOOKS_PER_PICK = 2_000;

/**
 * Keeps a table from one picker and one snapshot to the next: it depends on the members alone, and
 * verdicts, ramps and most reloads do not change those. While the next table is built, the present
 * one serves on.
 */
export class MaglevShelf {
  #table: MaglevBuild | null = null;
  #next: MaglevBuild | null = null;

  /** Whether picks should call `advance`. */
  get isBuilding(): boolean {
    return this.#next !== null;
  }

  /**
   * The table for these members, or the one before while theirs is being built. Cost: a comparison;
   * the very first table is built at once.
   */
  tableFor(members: readonly MaglevMember[]): MaglevBuild {
    const wanted = new MaglevBuild(members);
    if (this.#table !== null && isSame(this.#table.members, wanted.members)) {
      this.#next = null;
      return this.#table;
    }
    if (this.#table === null) {
      wanted.advance(Number.POSITIVE_INFINITY);
      this.#table = wanted;
    } else if (this.#next === null || !isSame(this.#next.members, wanted.members)) {
      this.#next = wanted;
    }
    return this.#table;
  }

  /** Builds on. Returns the next table when it has become the present one, else null. */
  advance(): MaglevBuild | null {
    const next = this.#next;
    if (next === null || !next.advance(LOOKS_PER_PICK)) return null;
    this.#table = next;
    this.#next = null;
    return next;
  }
}

function isSame(ours: readonly MaglevMember[], others: readonly MaglevMember[]): boolean {
  return (
    ours.length === others.length &&
    ours.every(({ key, weight }, at) => key === others[at]!.key && weight === others[at]!.weight)
  );
}
