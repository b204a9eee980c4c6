import { limits } from '../../model/limits.ts';
import type { SlotAssigner } from '../config/to-snapshot.ts';

/** What slots are given to. */
export type SlotKind = 'listener' | 'route' | 'pool' | 'server';

/** More names than shared memory has slots for. */
export class SlotsExhausted extends Error {
  override readonly name = 'SlotsExhausted';
  readonly kind: SlotKind;
  readonly capacity: number;
  constructor(kind: SlotKind, capacity: number) {
    super(
      `Cannot take another ${kind} as at most ${capacity} fit, those included whose traffic is still ending`,
    );
    this.kind = kind;
    this.capacity = capacity;
  }
}

/** Name of owners that are counted together because their slots have new owners. No name of ours has brackets. */
export const REMOVED = '(removed)';

/** An owner that left the configuration; its counters stand in its slot until that is given again. */
export interface DepartedOwner {
  readonly kind: SlotKind;
  /** Pool of a server; null for the others. */
  readonly pool: string | null;
  /** Name or server address. Both are `REMOVED` for a server whose pool's slot was given again. */
  readonly name: string;
  readonly slot: number;
}

/** What the book of slots must know of traffic. */
export interface SlotMeans {
  readonly capacities: Readonly<Record<SlotKind, number>>;
  /** True when nothing in flight uses the slot. */
  isQuiet(kind: SlotKind, slot: number): boolean;
  /**
   * The slot goes from `former` to another owner: keep its totals, reset its counters and states.
   * Fresh slots are zero. Servers are told before their pool.
   */
  onReused(former: DepartedOwner): void;
  /** An owner that had left is back in its slot: its counters go on, its states start anew. */
  onReturned(kind: SlotKind, slot: number): void;
}

interface Freed {
  /** `REMOVED` parts once nobody of that name may come back to it. */
  key: string;
  readonly slot: number;
  /** The publication after which no worker knows the slot's owner. */
  readonly sinceVersion: number;
  /** Given in this round; it leaves the shelf with the commit. */
  isTaken: boolean;
}

/** A slot with its owner. */
interface Held {
  readonly slot: number;
  /** The last round in which its owner was asked for. */
  round: number;
}

interface Given {
  readonly kind: SlotKind;
  readonly key: string;
  readonly slot: number;
  /** Where the slot came from; null for an untouched one. */
  readonly freed: Freed | null;
}

interface Shelf {
  readonly capacity: number;
  readonly slots: Map<string, Held>;
  /** Longest free first. */
  freed: Freed[];
  /** The same by key; those that may come back. */
  readonly freedByKey: Map<string, Freed>;
  /** How many of `freed` are not taken. */
  freedCount: number;
  /** Up to here none of `freed` can be given to another owner in this round. */
  looked: number;
  next: number;
}

/** Between pool and address in a server's key; NUL is in neither. */
const SEPARATOR = '\0';
const REMOVED_SERVER = `${REMOVED}${SEPARATOR}${REMOVED}`;

/**
 * Gives slots to names for as long as they live. A freed slot is used again only when nothing in
 * flight counts on it and every worker has applied a later publication, so that no late count lands
 * with the new owner. A name that comes back before that gets its slot back, and its counters go on.
 *
 * A round is `begin`, the assigner's calls, then `commit` (names not asked for lose their slot) or
 * `abort` (the round never was). Cost: constant per name, and one pass over the freed slots.
 */
export class SlotBook {
  readonly #means: SlotMeans;
  readonly #shelves: Record<SlotKind, Shelf>;
  readonly #given: Given[] = [];
  /** Servers that lost their names in this round, with the keys they had. */
  readonly #renamed: { readonly freed: Freed; readonly key: string }[] = [];
  /** Servers by pool: those of the last committed round, and of this one. */
  #byPool = new Map<string, Held[]>();
  #byPoolNow = new Map<string, Held[]>();
  #round = 0;
  #appliedVersion = 0;

  constructor(means: SlotMeans) {
    this.#means = means;
    const shelf = (kind: SlotKind): Shelf => ({
      capacity: means.capacities[kind],
      slots: new Map(),
      freed: [],
      freedByKey: new Map(),
      freedCount: 0,
      looked: 0,
      next: 0,
    });
    this.#shelves = {
      listener: shelf('listener'),
      route: shelf('route'),
      pool: shelf('pool'),
      server: shelf('server'),
    };
  }

  /** Errors: each function throws `SlotsExhausted`. */
  readonly assigner: SlotAssigner = {
    listener: (name) => this.#assign('listener', name).slot,
    route: (name) => this.#assign('route', name).slot,
    pool: (name) => this.#assign('pool', name).slot,
    server: (pool, address) => {
      const held = this.#assign('server', `${pool}${SEPARATOR}${address}`);
      const servers = this.#byPoolNow.get(pool);
      if (servers === undefined) this.#byPoolNow.set(pool, [held]);
      else servers.push(held);
      return held.slot;
    },
  };

  /** As if each server was asked for that the pool had in the last round. */
  readonly keepServers = (pool: string): void => {
    const servers = this.#byPool.get(pool) ?? [];
    for (const held of servers) held.round = this.#round;
    this.#byPoolNow.set(pool, servers);
  };

  /** Every worker has applied this publication. */
  applied(version: number): void {
    this.#appliedVersion = Math.max(this.#appliedVersion, version);
  }

  /** The slot of an owner that has one, else null; `pool` counts for servers. Gives none. */
  slotOf(kind: SlotKind, pool: string, name: string): number | null {
    const key = kind === 'server' ? `${pool}${SEPARATOR}${name}` : name;
    return this.#shelves[kind].slots.get(key)?.slot ?? null;
  }

  /** The slot of a pool by name, also of one that left and whose slot nobody else has; else null. */
  lastPoolSlot(name: string): number | null {
    const { slots, freedByKey } = this.#shelves.pool;
    return slots.get(name)?.slot ?? freedByKey.get(name)?.slot ?? null;
  }

  /** The slot of a server that has one, else null. Gives none. */
  serverSlot(pool: string, address: string): number | null {
    return this.#shelves.server.slots.get(`${pool}${SEPARATOR}${address}`)?.slot ?? null;
  }

  /** Owners that left and whose slot nobody else has. Cost: linear in freed slots. */
  departed(kind: SlotKind): readonly DepartedOwner[] {
    const left = this.#shelves[kind].freed.filter(({ isTaken }) => !isTaken);
    return left.map((freed) => ownerOf(kind, freed));
  }

  begin(): void {
    this.#round++;
    this.#byPoolNow = new Map();
    for (const shelf of Object.values(this.#shelves)) shelf.looked = 0;
    this.#given.length = 0;
    this.#renamed.length = 0;
  }

  /** `version` is the publication that carries the round's result. */
  commit(version: number): void {
    for (const kind of Object.keys(this.#shelves) as SlotKind[]) {
      const shelf = this.#shelves[kind];
      shelf.freed = shelf.freed.filter(({ isTaken }) => !isTaken);
      for (const [key, { slot, round }] of shelf.slots) {
        if (round === this.#round) continue;
        shelf.slots.delete(key);
        const freed: Freed = { key, slot, sinceVersion: version, isTaken: false };
        shelf.freed.push(freed);
        shelf.freedByKey.set(key, freed);
      }
      shelf.freedCount = shelf.freed.length;
    }
    this.#byPool = this.#byPoolNow;
    // A pool takes what its servers left along, so theirs must be there before.
    const isPool = (given: Given): number => Number(given.kind === 'pool');
    for (const { kind, key, freed } of this.#given.sort((a, b) => isPool(a) - isPool(b))) {
      if (freed === null) continue;
      if (freed.key === key) this.#means.onReturned(kind, freed.slot);
      else this.#means.onReused(ownerOf(kind, freed));
    }
    this.#given.length = 0;
  }

  abort(): void {
    for (const { freed, key } of this.#renamed) {
      freed.key = key;
      this.#shelves.server.freedByKey.set(key, freed);
    }
    for (const { kind, key, slot, freed } of this.#given.reverse()) {
      const shelf = this.#shelves[kind];
      shelf.slots.delete(key);
      // Backwards, so that the first untouched one is the next one again.
      if (freed === null) shelf.next = slot;
      else {
        freed.isTaken = false;
        shelf.freedCount++;
        if (freed.key !== REMOVED_SERVER) shelf.freedByKey.set(freed.key, freed);
      }
    }
    this.#given.length = 0;
  }

  #assign(kind: SlotKind, key: string): Held {
    const shelf = this.#shelves[kind];
    const known = shelf.slots.get(key);
    if (known !== undefined) {
      known.round = this.#round;
      return known;
    }
    const { slot, freed } = this.#take(kind, shelf, key);
    const held = { slot, round: this.#round };
    shelf.slots.set(key, held);
    this.#given.push({ kind, key, slot, freed });
    return held;
  }

  #take(kind: SlotKind, shelf: Shelf, key: string): { slot: number; freed: Freed | null } {
    const own = shelf.freedByKey.get(key);
    if (own !== undefined) return this.#takeFreed(shelf, own);
    const hasUntouched = shelf.next < shelf.capacity;
    // Untouched slots first: the longer a freed one rests, the surer it is quiet. But not so many
    // departed names that status and metrics are full of them.
    if (!hasUntouched || shelf.freedCount >= limits.departedNames) {
      for (; shelf.looked < shelf.freed.length; shelf.looked++) {
        const freed = shelf.freed[shelf.looked] as Freed;
        if (freed.isTaken || freed.sinceVersion > this.#appliedVersion) continue;
        if (!this.#means.isQuiet(kind, freed.slot)) continue;
        if (kind === 'pool') this.#forgetServers(freed.key);
        return this.#takeFreed(shelf, freed);
      }
    }
    if (!hasUntouched) throw new SlotsExhausted(kind, shelf.capacity);
    return { slot: shelf.next++, freed: null };
  }

  #takeFreed(shelf: Shelf, freed: Freed): { slot: number; freed: Freed } {
    freed.isTaken = true;
    shelf.freedByKey.delete(freed.key);
    shelf.freedCount--;
    return { slot: freed.slot, freed };
  }

  /** The pool's totals end: no server of it may come back to a slot that counted for them. */
  #forgetServers(pool: string): void {
    for (const freed of this.#shelves.server.freed) {
      if (!freed.key.startsWith(`${pool}${SEPARATOR}`)) continue;
      this.#renamed.push({ freed, key: freed.key });
      if (!freed.isTaken) this.#shelves.server.freedByKey.delete(freed.key);
      freed.key = REMOVED_SERVER;
    }
  }
}

function ownerOf(kind: SlotKind, { key, slot }: Freed): DepartedOwner {
  if (kind !== 'server') return { kind, pool: null, name: key, slot };
  const [pool = '', name = ''] = key.split(SEPARATOR);
  return { kind, pool, name, slot };
}
