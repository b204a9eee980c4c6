import { FNV_BASIS, fnv1a32, fnvStep } from '../base/hash.ts';
import { ByteTable } from './byte-table.ts';
import { type Entry, EntryList } from './entry-list.ts';
import type { RequestFacts } from './facts.ts';

const encoder = new TextEncoder();
const SLASH = 0x2f;

/** No route: greater than any order. */
export const NO_ORDER = 0x7fffffff;

/**
 * What a request is judged by besides its host. One object per matcher, refilled per match, so that
 * nothing is allocated.
 */
export interface PathQuery {
  pathBytes: Uint8Array;
  pathStart: number;
  pathEnd: number;
  method: number;
  methodBytes: Uint8Array;
  methodStart: number;
  methodEnd: number;
  /** Null where no route has conditions. */
  facts: RequestFacts | null;
}

/** An empty query, to be refilled. */
export function pathQuery(): PathQuery {
  return {
    pathBytes: new Uint8Array(0),
    pathStart: 0,
    pathEnd: 0,
    method: 0,
    methodBytes: new Uint8Array(0),
    methodStart: 0,
    methodEnd: 0,
    facts: null,
  };
}

/** Collects the path patterns of one group of hosts; `build` makes the index. */
export class PathIndexBuilder {
  readonly #any: Entry[] = [];
  readonly #exact = new Map<string, Entry[]>();
  readonly #prefix = new Map<string, Entry[]>();

  /** `paths`: `/exact` or `/prefix/*`; empty = any. Called in written order. */
  add(paths: readonly string[], entry: Entry): void {
    if (paths.length === 0) this.#any.push(entry);
    for (const path of paths) {
      if (path === '/*') this.#any.push(entry);
      else if (path.endsWith('/*')) append(this.#prefix, path.slice(0, -2), entry);
      else append(this.#exact, path, entry);
    }
  }

  build(): PathIndex {
    return new PathIndex(this.#any, this.#exact, this.#prefix);
  }
}

function append(lists: Map<string, Entry[]>, key: string, entry: Entry): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}

/**
 * All path patterns of one group of hosts.
 *
 * Cost: one walk over the path as far as the longest pattern reaches, one look-up at each `/` of it
 * and at its end, whatever the number of patterns. Routes of the same path are tried in order.
 */
export class PathIndex {
  readonly #any: EntryList;
  readonly #exact: ByteTable;
  readonly #exactEntries: readonly EntryList[];
  readonly #prefix: ByteTable;
  readonly #prefixEntries: readonly EntryList[];
  readonly #walkBytesMax: number;

  constructor(
    any: readonly Entry[],
    exact: ReadonlyMap<string, readonly Entry[]>,
    prefix: ReadonlyMap<string, readonly Entry[]>,
  ) {
    this.#any = new EntryList(any);
    this.#exact = tableOf(exact);
    this.#exactEntries = [...exact.values()].map((entries) => new EntryList(entries));
    this.#prefix = tableOf(prefix);
    this.#prefixEntries = [...prefix.values()].map((entries) => new EntryList(entries));
    this.#walkBytesMax = Math.max(this.#exact.keyBytesMax, this.#prefix.keyBytesMax);
  }

  /** Least order below `best` that takes the request, else `best`. */
  match(query: PathQuery, best: number): number {
    const least = this.#any.match(query, best);
    return this.#walkBytesMax === 0 ? least : this.#walk(query, least);
  }

  #walk(query: PathQuery, best: number): number {
    const { pathBytes, pathStart, pathEnd } = query;
    const length = pathEnd - pathStart;
    const stop = pathStart + Math.min(length, this.#walkBytesMax);
    const hasPrefixes = this.#prefix.size > 0;
    let least = best;
    let hash = FNV_BASIS | 0;
    for (let at = pathStart; at < stop; at++) {
      const byte = pathBytes[at]!;
      if (byte === SLASH && hasPrefixes && at > pathStart) {
        least = this.#atPrefix(hash, query, at, least);
      }
      hash = fnvStep(hash, byte);
    }
    // The walk ended inside the path: a prefix of just this length still matches before a `/`.
    if (stop < pathEnd) {
      const isBoundary = hasPrefixes && pathBytes[stop] === SLASH;
      return isBoundary ? this.#atPrefix(hash, query, stop, least) : least;
    }
    if (hasPrefixes) least = this.#atPrefix(hash, query, pathEnd, least);
    if (this.#exact.size === 0) return least;
    const found = this.#exact.find(hash, pathBytes, pathStart, pathEnd);
    return found < 0 ? least : this.#exactEntries[found]!.match(query, least);
  }

  #atPrefix(hash: number, query: PathQuery, end: number, best: number): number {
    const found = this.#prefix.find(hash, query.pathBytes, query.pathStart, end);
    return found < 0 ? best : this.#prefixEntries[found]!.match(query, best);
  }
}

function tableOf(lists: ReadonlyMap<string, unknown>): ByteTable {
  const keys = [...lists.keys()].map((key) => encoder.encode(key));
  return new ByteTable(
    keys,
    keys.map((key) => fnv1a32(key, 0, key.length)),
  );
}
