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

/** What the book of slots must know of traffic. */
export interface SlotMeans {
  readonly capacities: Readonly<Record<SlotKind, number>>;
  /** True when nothing in flight uses the slot. */
  isQuiet(kind: SlotKind, slot: number): boolean;
  /**
   * The slot goes from one owner to another: reset its counters and states. Fresh slots are zero.
   */
  onReused(kind: SlotKind, slot: number): void;
}

interface Shelf {
  readonly capacity: number;
  readonly slots: Map<string, number>;
  /** Freed slots with the publication after which no worker knows them. */
  readonly freed: { readonly slot: number; readonly sinceVersion: number }[];
  next: number;
}

/** Longer than any file or pool name and address together; NUL is in neither. */
const SEPARATOR = '\0';

/**
 * Gives slots to names for as long as they live. A freed slot is used again only when nothing in
 * flight counts on it and every worker has applied a later publication, so that no late count lands
 * with the new owner.
 *
 * A round is `begin`, the assigner's calls, then `commit` (names not asked for lose their slot) or
 * `abort` (the round never was). Cost: constant per name, linear in the freed slots per new name.
 */
export class SlotBook {
  readonly #means: SlotMeans;
  readonly #shelves: Record<SlotKind, Shelf>;
  readonly #asked: Record<SlotKind, Set<string>> = newNames();
  readonly #given: { kind: SlotKind; key: string; slot: number; sinceVersion: number }[] = [];
  #appliedVersion = 0;

  constructor(means: SlotMeans) {
    this.#means = means;
    const shelf = (kind: SlotKind): Shelf => ({
      capacity: means.capacities[kind],
      slots: new Map(),
      freed: [],
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
    listener: (name) => this.#assign('listener', name),
    route: (name) => this.#assign('route', name),
    pool: (name) => this.#assign('pool', name),
    server: (pool, address) => this.#assign('server', `${pool}${SEPARATOR}${address}`),
  };

  /** Every worker has applied this publication. */
  applied(version: number): void {
    this.#appliedVersion = Math.max(this.#appliedVersion, version);
  }

  /** The slot of a server that has one, else null. Gives none. */
  serverSlot(pool: string, address: string): number | null {
    return this.#shelves.server.slots.get(`${pool}${SEPARATOR}${address}`) ?? null;
  }

  begin(): void {
    for (const names of Object.values(this.#asked)) names.clear();
    this.#given.length = 0;
  }

  /** `version` is the publication that carries the round's result. */
  commit(version: number): void {
    for (const kind of Object.keys(this.#shelves) as SlotKind[]) {
      const shelf = this.#shelves[kind];
      for (const [key, slot] of shelf.slots) {
        if (this.#asked[kind].has(key)) continue;
        shelf.slots.delete(key);
        shelf.freed.push({ slot, sinceVersion: version });
      }
    }
    for (const { kind, slot, sinceVersion } of this.#given) {
      if (sinceVersion > 0) this.#means.onReused(kind, slot);
    }
    this.#given.length = 0;
  }

  abort(): void {
    for (const { kind, key, slot, sinceVersion } of this.#given) {
      this.#shelves[kind].slots.delete(key);
      this.#shelves[kind].freed.push({ slot, sinceVersion });
    }
    this.#given.length = 0;
  }

  #assign(kind: SlotKind, key: string): number {
    const shelf = this.#shelves[kind];
    this.#asked[kind].add(key);
    const known = shelf.slots.get(key);
    if (known !== undefined) return known;
    const free = this.#take(kind, shelf);
    shelf.slots.set(key, free.slot);
    this.#given.push({ kind, key, ...free });
    return free.slot;
  }

  #take(kind: SlotKind, shelf: Shelf): { slot: number; sinceVersion: number } {
    const isFree = (freed: { slot: number; sinceVersion: number }): boolean =>
      freed.sinceVersion <= this.#appliedVersion && this.#means.isQuiet(kind, freed.slot);
    // Untouched slots first: the longer a freed one rests, the surer it is quiet.
    if (shelf.next < shelf.capacity) return { slot: shelf.next++, sinceVersion: 0 };
    const at = shelf.freed.findIndex(isFree);
    if (at < 0) throw new SlotsExhausted(kind, shelf.capacity);
    return shelf.freed.splice(at, 1)[0] as { slot: number; sinceVersion: number };
  }
}

function newNames(): Record<SlotKind, Set<string>> {
  return { listener: new Set(), route: new Set(), pool: new Set(), server: new Set() };
}
