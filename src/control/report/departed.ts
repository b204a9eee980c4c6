import type { CounterOwner, CounterReader } from '../../observe/counters.ts';
import { type DepartedOwner, REMOVED } from '../publish/slots.ts';

/** What an owner had counted that left the configuration. */
export interface DepartedCounts {
  /** Pool of a server; null for the others. */
  readonly pool: string | null;
  /** Its name or address; `(removed)` stands for all whose slots have new owners. */
  readonly name: string;
  /** Null for `(removed)`. */
  readonly slot: number | null;
  /** By column number. */
  readonly values: readonly number[];
}

/** What reports must know of owners that left. */
export interface Departed {
  /** Those still known by name, then what is counted together. Cost: linear in freed slots. */
  of(kind: CounterOwner): readonly DepartedCounts[];
}

/** A server's key in the sums is its pool; the other kinds have one sum each. */
type Sums = Map<string, number[]>;

/**
 * Keeps the totals of what left the configuration, so that no sum over owners ever falls: by its
 * own name as long as its slot is nobody else's, then in the sum of its pool or its kind.
 */
export class DepartedTotals implements Departed {
  readonly #counters: CounterReader;
  readonly #listed: (kind: CounterOwner) => readonly DepartedOwner[];
  readonly #sums: Readonly<Record<CounterOwner, Sums>> = {
    listener: new Map(),
    route: new Map(),
    pool: new Map(),
    server: new Map(),
  };

  /** `listed`: `SlotBook.departed`. */
  constructor(counters: CounterReader, listed: (kind: CounterOwner) => readonly DepartedOwner[]) {
    this.#counters = counters;
    this.#listed = listed;
  }

  of(kind: CounterOwner): readonly DepartedCounts[] {
    const named: DepartedCounts[] = [];
    const sums: Sums = new Map([...this.#sums[kind]].map(([key, values]) => [key, [...values]]));
    for (const { pool, name, slot } of this.#listed(kind)) {
      const values = this.#counters.row(kind, slot);
      if (name === REMOVED) addTo(sums, pool ?? REMOVED, values);
      else named.push({ pool, name, slot, values });
    }
    for (const [key, values] of sums) {
      named.push({ pool: kind === 'server' ? key : null, name: REMOVED, slot: null, values });
    }
    return named;
  }

  /** Counts what another process had counted for owners that we have not. */
  add(kind: CounterOwner, pool: string | null, values: readonly number[]): void {
    addTo(this.#sums[kind], pool ?? REMOVED, values);
  }

  /** The owner's slot is about to be reset for another: its totals go into a sum. */
  fold({ kind, pool, name, slot }: DepartedOwner): void {
    addTo(this.#sums[kind], pool ?? REMOVED, this.#counters.row(kind, slot));
    if (kind !== 'pool') return;
    // The pool's name means another pool from now on, so what its servers left goes along.
    const servers = this.#sums.server.get(name);
    this.#sums.server.delete(name);
    if (servers !== undefined) addTo(this.#sums.server, REMOVED, servers);
  }
}

function addTo(sums: Sums, key: string, values: readonly number[]): void {
  const before = sums.get(key);
  sums.set(key, before === undefined ? [...values] : before.map((sum, i) => sum + values[i]!));
}

/** Departed servers by the name of their pool. */
export function byPool(
  departed: readonly DepartedCounts[],
): ReadonlyMap<string, readonly DepartedCounts[]> {
  const pools = new Map<string, DepartedCounts[]>();
  for (const server of departed) {
    const pool = server.pool ?? '';
    const known = pools.get(pool);
    if (known === undefined) pools.set(pool, [server]);
    else known.push(server);
  }
  return pools;
}
