import { FNV_BASIS, fnv1a32, fnvStep } from '../base/hash.ts';
import { ByteTable } from './byte-table.ts';
import type { CompiledCondition } from './conditions.ts';
import type { MethodFilter } from './method-filter.ts';
import type { PathQuery } from './path-index.ts';
import type { ValueSource } from './value-source.ts';

/** A route's place in the written order with what is left to check once its path has matched. */
export interface Entry {
  readonly order: number;
  readonly methods: MethodFilter;
  /** What must hold besides; null = nothing. */
  readonly condition: CompiledCondition | null;
  /** Conditions among these that ask for exact texts of one name: a list may be keyed by them. */
  readonly keys: readonly EntryKey[];
}

/** Texts of which a request must have one as a value of this source. */
export interface EntryKey {
  readonly source: ValueSource;
  readonly texts: readonly string[];
}

/** From so many entries on that ask for the same name, they are looked up instead of walked. */
const KEYED_FROM = 4;
const encoder = new TextEncoder();

/**
 * Routes of one host and path in written order: the first that takes the request is wanted. Routes
 * that differ by the value of one header, cookie, parameter or fact stand in a table by that value.
 *
 * Cost: O(routes without such a key), one look-up per value of each keyed name.
 */
export class EntryList {
  readonly #walked: readonly Entry[];
  readonly #keyed: readonly KeyedEntries[];

  constructor(entries: readonly Entry[]) {
    const bySource = new Map<ValueSource, Entry[]>();
    for (const entry of entries) {
      for (const { source } of entry.keys) {
        bySource.set(source, [...(bySource.get(source) ?? []), entry]);
      }
    }
    const left = new Set(entries);
    const keyed: KeyedEntries[] = [];
    // The name that most routes ask for first; each route stands in one table only.
    for (const [source, asking] of [...bySource].sort((a, b) => b[1].length - a[1].length)) {
      const here = asking.filter((entry) => left.has(entry));
      if (here.length < KEYED_FROM) continue;
      for (const entry of here) left.delete(entry);
      keyed.push(new KeyedEntries(source, here));
    }
    this.#walked = [...left];
    this.#keyed = keyed;
  }

  /** Least order below `best` that takes the request, else `best`. */
  match(query: PathQuery, best: number): number {
    let least = leastOf(this.#walked, query, best);
    for (let at = 0; at < this.#keyed.length; at++) {
      least = this.#keyed[at]!.match(query, least);
    }
    return least;
  }
}

class KeyedEntries {
  readonly #source: ValueSource;
  readonly #table: ByteTable;
  readonly #entries: readonly (readonly Entry[])[];
  readonly #leastOrder: number;

  constructor(source: ValueSource, entries: readonly Entry[]) {
    const byText = new Map<string, Entry[]>();
    for (const entry of entries) {
      const texts = entry.keys.find((key) => key.source === source)?.texts ?? [];
      for (const text of new Set(texts)) {
        const list = byText.get(text);
        if (list === undefined) byText.set(text, [entry]);
        else list.push(entry);
      }
    }
    const keys = [...byText.keys()].map((text) => encoder.encode(text));
    this.#source = source;
    this.#table = new ByteTable(
      keys,
      keys.map((key) => fnv1a32(key, 0, key.length)),
    );
    this.#entries = [...byText.values()];
    this.#leastOrder = entries[0]!.order;
  }

  match(query: PathQuery, best: number): number {
    if (this.#leastOrder >= best) return best;
    const source = this.#source;
    const count = source.read(query.facts!);
    let least = best;
    for (let at = 0; at < count; at++) {
      const start = source.starts[at]!;
      const end = source.ends[at]!;
      if (end - start > this.#table.keyBytesMax) continue;
      const bytes = source.bytes[at]!;
      let hash = FNV_BASIS | 0;
      for (let byte = start; byte < end; byte++) hash = fnvStep(hash, bytes[byte]!);
      const found = this.#table.find(hash, bytes, start, end);
      if (found >= 0) least = leastOf(this.#entries[found]!, query, least);
    }
    return least;
  }
}

function leastOf(entries: readonly Entry[], query: PathQuery, best: number): number {
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at]!;
    if (entry.order >= best) return best;
    if (
      entry.methods.takes(query.method, query.methodBytes, query.methodStart, query.methodEnd) &&
      (entry.condition === null || entry.condition.holds(query.facts!))
    ) {
      return entry.order;
    }
  }
  return best;
}
