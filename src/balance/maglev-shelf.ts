import { MaglevBuild, type MaglevMember } from './maglev.ts';

/**
 * Looks per pick while the next table is being built: some 30 µs each, so that a table of 10,000
 * servers (a quarter of a second of work) stalls nobody.
 */
const LOOKS_PER_PICK = 2_000;

/** Looks per step of a table that is made ready beforehand. */
const LOOKS_PER_STEP = 10_000;
/** Below this share of common members the present table would send too many keys astray. */
const COMMON_SHARE = 0.5;

/** What of a server a table is made of. */
interface NamedServer {
  readonly key: string;
  readonly nominalWeight: number;
}

/**
 * Keeps a table from one picker and one snapshot to the next: it depends on the members alone, and
 * verdicts, ramps and most reloads do not change those. While the next table is built, the present
 * one serves on.
 */
export class MaglevShelf {
  #table: MaglevBuild | null = null;
  #next: MaglevBuild | null = null;
  /** What the two were made for, in the order in which it was given. */
  #tableOf: readonly NamedServer[] = [];
  #nextOf: readonly NamedServer[] = [];

  /** Made beforehand, for the picker that asks for it first. */
  #ready: MaglevBuild | null = null;
  #readyOf: readonly NamedServer[] = [];

  /** Whether picks should call `advance`. */
  get isBuilding(): boolean {
    return this.#next !== null;
  }

  /**
   * Makes the table for these members ready in short steps, where there is none yet that could serve until picks
   * have built theirs: else the first pick would wait a quarter of a second at 10,000 servers.
   */
  *prepare(servers: readonly NamedServer[]): Generator<void, void> {
    if (servers.length === 0 || this.#hasMostOf(servers)) return;
    const wanted = buildFor(servers);
    while (!wanted.advance(LOOKS_PER_STEP)) yield;
    this.#ready = wanted;
    this.#readyOf = servers;
  }

  #hasMostOf(servers: readonly NamedServer[]): boolean {
    if (this.#table === null) return false;
    const present = new Set(this.#table.members.map(({ key }) => key));
    const common = servers.filter(({ key }) => present.has(key)).length;
    return common >= servers.length * COMMON_SHARE;
  }

  /**
   * The table for these members, or the one before while theirs is being built. Cost: a comparison;
   * the very first table is built at once.
   */
  tableFor(servers: readonly NamedServer[]): MaglevBuild {
    if (this.#ready !== null && areSame(this.#readyOf, servers)) {
      this.#table = this.#ready;
      this.#tableOf = this.#readyOf;
      this.#ready = null;
    }
    if (this.#table !== null && areSame(this.#tableOf, servers)) {
      this.#next = null;
      return this.#table;
    }
    if (this.#next !== null && areSame(this.#nextOf, servers)) return this.#table!;
    const wanted = buildFor(servers);
    if (this.#table === null) {
      wanted.advance(Number.POSITIVE_INFINITY);
      this.#table = wanted;
      this.#tableOf = servers;
    } else if (isSame(this.#table.members, wanted.members)) {
      // The same servers in another order.
      this.#next = null;
      this.#tableOf = servers;
    } else {
      this.#next = wanted;
      this.#nextOf = servers;
    }
    return this.#table;
  }

  /** Builds on. Returns the next table when it has become the present one, else null. */
  advance(): MaglevBuild | null {
    const next = this.#next;
    if (next === null || !next.advance(LOOKS_PER_PICK)) return null;
    this.#table = next;
    this.#tableOf = this.#nextOf;
    this.#next = null;
    return next;
  }
}

function buildFor(servers: readonly NamedServer[]): MaglevBuild {
  return new MaglevBuild(servers.map(({ key, nominalWeight }) => ({ key, weight: nominalWeight })));
}

function isSame(ours: readonly MaglevMember[], others: readonly MaglevMember[]): boolean {
  return (
    ours.length === others.length &&
    ours.every(({ key, weight }, at) => key === others[at]!.key && weight === others[at]!.weight)
  );
}

function areSame(some: readonly NamedServer[], others: readonly NamedServer[]): boolean {
  if (some === others) return true;
  return (
    some.length === others.length &&
    some.every(
      ({ key, nominalWeight }, at) =>
        key === others[at]!.key && nominalWeight === others[at]!.nominalWeight,
    )
  );
}
