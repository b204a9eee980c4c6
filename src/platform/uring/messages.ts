import type { Libc } from '../libc.ts';
import { Mapping } from './memory.ts';

/** Segments that one SENDMSG carries at most. */
export const VECTORS_MAX = 16;
/** struct msghdr (56 bytes, padded to 64) and its iovecs; also room for the longest socket address. */
const SLOT_BYTES = 64 + VECTORS_MAX * 16;
const SLOTS = 256;
const SLOT_WORDS = SLOT_BYTES / 4;

/**
 * Slots of mapped memory for what submission entries point to: message headers with vectors, and
 * socket addresses. The kernel copies them while it takes the entry (IORING_FEAT_SUBMIT_STABLE), so
 * all slots are free again after each submission.
 *
 *   | msghdr: name, namelen, iov → +64, iovlen = n, control, controllen, flags | iovec 0 … iovec 15 |
 */
export class MessageSlots {
  readonly mapping: Mapping;
  #used = 0;

  constructor(libc: Libc) {
    this.mapping = Mapping.anonymous(libc, SLOTS * SLOT_BYTES);
    for (let slot = 0; slot < SLOTS; slot++) {
      const vectors = slot * SLOT_BYTES + 64;
      this.mapping.words[slot * SLOT_WORDS + 4] = this.mapping.low(vectors, VECTORS_MAX * 16);
      this.mapping.words[slot * SLOT_WORDS + 5] = this.mapping.high(vectors);
    }
  }

  /** A free slot, or -1 until the next submission. */
  take(): number {
    return this.#used < SLOTS ? this.#used++ : -1;
  }

  /** All slots are free: the kernel has taken the entries that pointed to them. */
  reset(): void {
    this.#used = 0;
  }

  /** Sets vector `index` of `slot` to `[offset, offset+length)` of `memory`. */
  setVector(slot: number, index: number, memory: Mapping, offset: number, length: number): void {
    const at = slot * SLOT_WORDS + 16 + index * 4;
    const words = this.mapping.words;
    words[at] = memory.low(offset, length);
    words[at + 1] = memory.high(offset);
    words[at + 2] = length;
    words[at + 3] = 0;
  }

  /** Sets the number of vectors; then the slot is ready as a message header. */
  setCount(slot: number, count: number): void {
    this.mapping.words[slot * SLOT_WORDS + 6] = count;
  }

  /** Lower word of the header's address. */
  headerLow(slot: number): number {
    return this.mapping.low(slot * SLOT_BYTES, SLOT_BYTES);
  }

  /** Upper word of the header's address. */
  headerHigh(slot: number): number {
    return this.mapping.high(slot * SLOT_BYTES);
  }

  /** Puts a socket address into the vector part of `slot`. Length: up to 110 bytes. */
  setAddress(slot: number, address: Uint8Array): void {
    this.mapping.bytes.set(address, slot * SLOT_BYTES + 64);
  }

  /** Lower word of that address' place. */
  addressLow(slot: number, length: number): number {
    return this.mapping.low(slot * SLOT_BYTES + 64, length);
  }

  /** Upper word of that address' place. */
  addressHigh(slot: number): number {
    return this.mapping.high(slot * SLOT_BYTES + 64);
  }
}
