import { FNV_BASIS, fnvStep } from '../base/hash.ts';
import { finished } from '../base/steps.ts';
import { ByteTable } from './byte-table.ts';
import type { Entry } from './entry-list.ts';
import { type PathIndex, PathIndexBuilder, type PathQuery } from './path-index.ts';

const encoder = new TextEncoder();
const DOT = 0x2e;

/** Collects the host patterns of one listener; `build` makes the index. */
export class HostIndexBuilder {
  readonly #any = new PathIndexBuilder();
  readonly #exact = new Map<string, PathIndexBuilder>();
  /** By suffix with its dot: `*.example.com` is `.example.com`. */
  readonly #wildcard = new Map<string, PathIndexBuilder>();

  /**
   * `hosts`: `example.com` or `*.example.com`, lower case; empty = any. Called in written order.
   */
  add(hosts: readonly string[], paths: readonly string[], entry: Entry): void {
    if (hosts.length === 0) this.#any.add(paths, entry);
    for (const host of hosts) {
      const isWildcard = host.startsWith('*.');
      const group = isWildcard ? this.#wildcard : this.#exact;
      const key = isWildcard ? host.slice(1) : host;
      const builder = group.get(key) ?? new PathIndexBuilder();
      group.set(key, builder);
      builder.add(paths, entry);
    }
  }

  build(): HostIndex {
    return finished(this.buildInSteps());
  }

  /** In steps of some hosts. */
  *buildInSteps(): Generator<void, HostIndex> {
    const any = this.#any.build();
    const exact = yield* built(this.#exact);
    return new HostIndex(any, exact, yield* built(this.#wildcard));
  }
}

/** Hosts whose paths are indexed in one step. */
const STEP_MAX = 16;

function* built(
  group: ReadonlyMap<string, PathIndexBuilder>,
): Generator<void, Map<string, PathIndex>> {
  const paths = new Map<string, PathIndex>();
  for (const [key, builder] of group) {
    paths.set(key, builder.build());
    if (paths.size % STEP_MAX === 0) yield;
  }
  return paths;
}

/**
 * All routes of one listener by host. The host is hashed from its end to its start, so that one
 * walk gives the hash of every suffix (`.com`, `.example.com`) and of the whole.
 *
 * Cost: one walk over the host, one look-up per dot where wildcards exist; the host is not looked
 * at when no route asks for it.
 */
export class HostIndex {
  readonly #any: PathIndex;
  readonly #exact: ByteTable;
  readonly #exactPaths: readonly PathIndex[];
  readonly #wildcard: ByteTable;
  readonly #wildcardPaths: readonly PathIndex[];
  readonly #walkBytesMax: number;

  constructor(
    any: PathIndex,
    exact: ReadonlyMap<string, PathIndex>,
    wildcard: ReadonlyMap<string, PathIndex>,
  ) {
    this.#any = any;
    this.#exact = tableOf(exact);
    this.#exactPaths = [...exact.values()];
    this.#wildcard = tableOf(wildcard);
    this.#wildcardPaths = [...wildcard.values()];
    this.#walkBytesMax = Math.max(this.#exact.keyBytesMax, this.#wildcard.keyBytesMax);
  }

  /** Least order below `best` that takes the request, else `best`. */
  match(
    hostBytes: Uint8Array,
    hostStart: number,
    hostEnd: number,
    query: PathQuery,
    best: number,
  ): number {
    let least = this.#any.match(query, best);
    if (this.#walkBytesMax === 0 || hostEnd === hostStart) return least;
    const stop = Math.max(hostStart, hostEnd - this.#walkBytesMax);
    let hash = FNV_BASIS | 0;
    for (let at = hostEnd - 1; at >= stop; at--) {
      hash = fnvStep(hash, hostBytes[at]!);
      // A wildcard stands for at least one byte before the dot.
      if (hostBytes[at] !== DOT || at === hostStart || this.#wildcard.size === 0) continue;
      const found = this.#wildcard.find(hash, hostBytes, at, hostEnd);
      if (found >= 0) least = this.#wildcardPaths[found]!.match(query, least);
    }
    if (stop > hostStart || this.#exact.size === 0) return least;
    const found = this.#exact.find(hash, hostBytes, hostStart, hostEnd);
    return found < 0 ? least : this.#exactPaths[found]!.match(query, least);
  }
}

function tableOf(group: ReadonlyMap<string, unknown>): ByteTable {
  const keys = [...group.keys()].map((key) => encoder.encode(key));
  return new ByteTable(keys, keys.map(hashFromEnd));
}

function hashFromEnd(key: Uint8Array): number {
  return key.reduceRight((hash, byte) => fnvStep(hash, byte), FNV_BASIS | 0);
}
