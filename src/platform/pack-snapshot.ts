import { deserialize, serialize } from 'node:v8';
import { hookModulesOf } from '../model/hook-modules.ts';
import type { PackedSnapshot } from '../model/messages.ts';
import type { Pool, Route, Server, Snapshot } from '../model/snapshot.ts';

/**
 * Servers and routes of one part: measured, unpacking one takes a fifth of a millisecond, so that a
 * worker can do it between two turns of its traffic.
 */
const PART_MAX = 64;

/** Servers of one pool, by its place. */
type ServersPart = readonly (readonly [pool: number, servers: readonly Server[]])[];

/**
 * Writes a snapshot once for all workers, in parts that each unpacks by itself. The usual way, a
 * message with the whole object, writes it once per worker and stops a worker's traffic while it is
 * read: measured at 10,000 servers 50 ms.
 */
export function packSnapshot(snapshot: Snapshot): PackedSnapshot {
  const frame = {
    ...snapshot,
    routes: [],
    pools: snapshot.pools.map((pool) => ({ ...pool, servers: [] })),
  };
  const parts: Uint8Array[] = [serialize(frame)];
  for (let at = 0; at < snapshot.routes.length; at += PART_MAX) {
    parts.push(serialize(snapshot.routes.slice(at, at + PART_MAX)));
  }
  const routeParts = parts.length - 1;
  for (const part of serverParts(snapshot.pools)) parts.push(serialize(part));
  const ends: number[] = [];
  let length = 0;
  for (const part of parts) {
    length += part.length;
    ends.push(length);
  }
  const bytes = new SharedArrayBuffer(length);
  const view = new Uint8Array(bytes);
  for (const [index, part] of parts.entries()) {
    view.set(part, (ends[index] as number) - part.length);
  }
  const hookModules = hookModulesOf(snapshot);
  return { version: snapshot.version, bytes, ends, routeParts, hookModules };
}

/** The snapshot without its routes and servers. Cost: linear in pools. */
export function frameOf(packed: PackedSnapshot): Pick<Snapshot, 'pools'> {
  return readPart(packed, 0) as Snapshot;
}

/** Reads it part by part: each step takes a fraction of a millisecond. The last one gives the snapshot. */
export function* unpackSnapshot(packed: PackedSnapshot): Generator<void, Snapshot> {
  const { ends, routeParts } = packed;
  const frame = readPart(packed, 0) as Snapshot;
  const routes = frame.routes as Route[];
  for (let part = 1; part < ends.length; part++) {
    yield;
    if (part <= routeParts) {
      routes.push(...(readPart(packed, part) as Route[]));
      continue;
    }
    for (const [pool, servers] of readPart(packed, part) as ServersPart) {
      ((frame.pools[pool] as Pool).servers as Server[]).push(...servers);
    }
  }
  return frame;
}

function readPart({ bytes, ends }: PackedSnapshot, part: number): unknown {
  const from = part === 0 ? 0 : (ends[part - 1] as number);
  // A copy: the reader takes no shared memory.
  return deserialize(Buffer.from(new Uint8Array(bytes, from, (ends[part] as number) - from)));
}

function serverParts(pools: readonly Pool[]): ServersPart[] {
  const parts: (readonly [number, readonly Server[]])[][] = [];
  let room = 0;
  for (const [index, { servers }] of pools.entries()) {
    for (let at = 0; at < servers.length; ) {
      if (room === 0) {
        parts.push([]);
        room = PART_MAX;
      }
      const some = servers.slice(at, at + room);
      parts.at(-1)?.push([index, some]);
      at += some.length;
      room -= some.length;
    }
  }
  return parts;
}
