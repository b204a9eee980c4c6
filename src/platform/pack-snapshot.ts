import { deserialize, serialize } from 'node:v8';
import { hookModulesOf } from '../model/hook-modules.ts';
import type { PackedPart, PackedSnapshot } from '../model/messages.ts';
import type { Pool, Route, Server, Snapshot } from '../model/snapshot.ts';

/**
 * Servers and routes read in one step: measured, that takes a fifth of a millisecond, so that a worker
 * can do it between two turns of its traffic.
 */
const STEP_MAX = 64;

/** What was packed before: a pool that is the same object is the same part. */
const packedPools = new WeakMap<Pool, PackedPart>();
const packedRoutes = new WeakMap<readonly Route[], PackedPart>();
let partsPacked = 0;

/**
 * Writes a snapshot once for all workers, in parts that each unpacks by itself. The usual way, a
 * message with the whole object, writes it once per worker and stops a worker's traffic while it is
 * read: measured at 10,000 servers 50 ms. Routes and pools that an earlier snapshot had, as the same
 * objects, are not written again.
 */
export function packSnapshot(snapshot: Snapshot): PackedSnapshot {
  const { version, routes, pools } = snapshot;
  return {
    version,
    frame: serialize({ ...snapshot, routes: [], pools: [] }),
    routes: known(packedRoutes, routes, () => chunks(routes).map((some) => serialize(some))),
    pools: pools.map((pool) => known(packedPools, pool, () => poolBytes(pool))),
    hookModules: hookModulesOf(snapshot),
  };
}

/** A pool without its servers, then those. */
function poolBytes(pool: Pool): Uint8Array[] {
  // Text is read twice as fast as what `serialize` writes, but has no infinities: a server has none either.
  const servers = chunks(pool.servers).map((some) => Buffer.from(JSON.stringify(some)));
  return [serialize({ ...pool, servers: [] }), ...servers];
}

function chunks<T>(items: readonly T[]): (readonly T[])[] {
  const all: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += STEP_MAX) all.push(items.slice(at, at + STEP_MAX));
  return all;
}

function known<T extends object>(
  parts: WeakMap<T, PackedPart>,
  item: T,
  write: () => readonly Uint8Array[],
): PackedPart {
  const before = parts.get(item);
  if (before !== undefined) return before;
  const pieces = write();
  const ends: number[] = [];
  let length = 0;
  for (const piece of pieces) {
    length += piece.length;
    ends.push(length);
  }
  const bytes = new SharedArrayBuffer(length);
  const view = new Uint8Array(bytes);
  for (const [at, piece] of pieces.entries()) view.set(piece, (ends[at] as number) - piece.length);
  const part = { id: ++partsPacked, bytes, ends };
  parts.set(item, part);
  return part;
}

/** Reads snapshots that `packSnapshot` wrote in another thread, one after the other. */
export class SnapshotReader {
  /** What the last snapshots had, by part: what they share is the same object. */
  #pools = new Map<number, Pool>();
  #routes: { readonly id: number; readonly routes: readonly Route[] } | null = null;

  /** The pools without their servers. Cost: linear in pools that are new. */
  settingsOf({ pools }: PackedSnapshot): readonly Pool[] {
    return pools.map((part) => this.#pools.get(part.id) ?? (readPiece(part, 0) as Pool));
  }

  /**
   * Reads it in steps of a fraction of a millisecond; the last one gives the snapshot. Routes and pools that
   * the one before had are the same objects.
   */
  *read(packed: PackedSnapshot): Generator<void, Snapshot> {
    const routes = yield* this.#readRoutes(packed.routes);
    const pools: Pool[] = [];
    for (const part of packed.pools) pools.push(yield* this.#readPool(part));
    this.#pools = new Map(pools.map((pool, at) => [(packed.pools[at] as PackedPart).id, pool]));
    return { ...(deserialize(packed.frame) as Snapshot), routes, pools };
  }

  *#readRoutes(part: PackedPart): Generator<void, readonly Route[]> {
    if (this.#routes?.id === part.id) return this.#routes.routes;
    const routes: Route[] = [];
    for (let at = 0; at < part.ends.length; at++) {
      routes.push(...(readPiece(part, at) as Route[]));
      yield;
    }
    this.#routes = { id: part.id, routes };
    return routes;
  }

  *#readPool(part: PackedPart): Generator<void, Pool> {
    const before = this.#pools.get(part.id);
    if (before !== undefined) return before;
    const pool = readPiece(part, 0) as Pool;
    const servers = pool.servers as Server[];
    for (let at = 1; at < part.ends.length; at++) {
      servers.push(...(JSON.parse(pieceOf(part, at).toString()) as Server[]));
      yield;
    }
    this.#pools.set(part.id, pool);
    return pool;
  }
}

function readPiece(part: PackedPart, at: number): unknown {
  return deserialize(pieceOf(part, at));
}

/** A copy: readers take no shared memory. */
function pieceOf({ bytes, ends }: PackedPart, at: number): Buffer {
  const from = at === 0 ? 0 : (ends[at - 1] as number);
  return Buffer.from(new Uint8Array(bytes, from, (ends[at] as number) - from));
}
