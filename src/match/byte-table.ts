import { invariant } from '../base/invariant.ts';

/**
 * A fixed map from byte strings to small numbers, looked up by a hash that the caller worked out
 * while it walked, so that nothing is hashed twice and no string is made.
 *
 * Cost: a look-up is one probe of a table at most half full and one comparison of bytes. Keys come
 * from the configuration; a peer that finds texts of one hash gains one comparison each, never a
 * longer chain.
 */
export class ByteTable {
  /** Length of the longest key in bytes: callers stop walking there. */
  readonly keyBytesMax: number;
  readonly #mask: number;
  /** Entry number + 1 by position; 0 = free. */
  readonly #positions: Int32Array;
  readonly #hashes: Int32Array;
  readonly #keys: readonly Uint8Array[];

  /** `keys` are distinct; `hashes[i]` is the caller's hash of `keys[i]`. */
  constructor(keys: readonly Uint8Array[], hashes: readonly number[]) {
    invariant(keys.length === hashes.length, 'each key has its hash');
    let size = 2;
    while (size < 2 * keys.length) size *= 2;
    this.#mask = size - 1;
    this.#positions = new Int32Array(size);
    this.#hashes = Int32Array.from(hashes);
    this.#keys = keys;
    this.keyBytesMax = keys.reduce((most, key) => Math.max(most, key.length), 0);
    for (const [entry, hash] of this.#hashes.entries()) {
      let at = spread(hash) & this.#mask;
      while (this.#positions[at] !== 0) at = (at + 1) & this.#mask;
      this.#positions[at] = entry + 1;
    }
  }

  /** Number of keys. */
  get size(): number {
    return this.#keys.length;
  }

  /** The number of the key that equals `bytes[start, end)`, or -1. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    let at = spread(hash) & this.#mask;
    // Ends at a free position: the table is at most half full.
    for (;;) {
      const entry = this.#positions[at]! - 1;
      if (entry < 0) return -1;
      if (this.#hashes[entry] === hash && equals(this.#keys[entry]!, bytes, start, end))
        return entry;
      at = (at + 1) & this.#mask;
    }
  }
}

/** FNV's upper bits are its better ones. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}

/** Are the bytes of `key` those of `bytes[start, end)`? */
export function equals(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let at = 0; at < key.length; at++) if (key[at] !== bytes[start + at]) return false;
  return true;
}
