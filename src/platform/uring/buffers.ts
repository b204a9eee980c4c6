import { invariant } from '../../base/invariant.ts';
import { limits } from '../../model/limits.ts';
import type { BufferPool } from '../driver.ts';
import type { Libc } from '../libc.ts';
import { Uring } from './constants.ts';
import { Mapping } from './memory.ts';
import type { Ring } from './ring.ts';

/** Places in the ring of buffers that the kernel takes from; the most it ever holds. A power of two. */
const KERNEL_ENTRIES = 1024;
/** Buffers that the kernel holds at first: 1 MiB, which stays in the second-level cache. */
const KERNEL_TARGET_FIRST = 64;
/** The group id of the one buffer ring. */
export const BUFFER_GROUP = 1;

/**
 * The pool of a worker: one reserved mapping, pages touched as needed, and the ring of those buffers
 * that the kernel may receive into.
 *
 *   free stack (last in, first out: the warm ones go first) ⇄ kernel ring → data plane (referenced)
 *
 * Cost: every method is a few loads and stores; the kernel's ring is topped up once per batch.
 */
export class UringBuffers implements BufferPool {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sizeBytes: number = limits.bufferBytes;
  readonly headroomBytes: number = limits.bufferHeadroomBytes;
  readonly strideBytes: number = limits.bufferBytes + limits.bufferHeadroomBytes;
  readonly mapping: Mapping;
  readonly entries: Mapping;
  readonly #count: number;
  readonly #reserve: number;
  readonly #references: Int32Array;
  readonly #free: Int32Array;
  readonly #entryHalves: Uint16Array<ArrayBuffer>;
  #freeCount: number;
  #kernelHeld = 0;
  #kernelTarget = KERNEL_TARGET_FIRST;
  #tail = 0;
  /** Called when a buffer becomes free while receives wait for one. */
  onAvailable: (() => void) | null = null;

  constructor(libc: Libc, ring: Ring, count: number) {
    invariant(count >= KERNEL_TARGET_FIRST && count < 65_536, 'buffer ids fit a completion');
    this.mapping = Mapping.anonymous(libc, count * this.strideBytes);
    this.entries = Mapping.anonymous(libc, KERNEL_ENTRIES * 16);
    this.bytes = this.mapping.bytes;
    this.#entryHalves = new Uint16Array(this.entries.bytes.buffer);
    this.#count = count;
    // Kept back from the kernel, so that what was received can still be answered.
    this.#reserve = count >>> 4;
    this.#references = new Int32Array(count);
    this.#free = new Int32Array(count);
    // Lowest ids on top: few buffers in use means few pages touched.
    for (let i = 0; i < count; i++) this.#free[i] = count - 1 - i;
    this.#freeCount = count;
    this.#register(libc, ring);
  }

  startOf(id: number): number {
    return id * this.strideBytes;
  }

  acquire(): number {
    if (this.#freeCount === 0) return -1;
    const id = this.#free[--this.#freeCount] as number;
    this.#references[id] = 1;
    return id;
  }

  retain(id: number): void {
    const references = this.#references[id] as number;
    invariant(references > 0, 'only a referenced buffer is retained');
    this.#references[id] = references + 1;
  }

  release(id: number): void {
    const references = (this.#references[id] as number) - 1;
    invariant(references >= 0, 'a buffer is released once per reference');
    this.#references[id] = references;
    if (references > 0) return;
    this.#free[this.#freeCount++] = id;
    if (this.onAvailable !== null) this.onAvailable();
  }

  get inUse(): number {
    return this.#count - this.#freeCount - this.#kernelHeld;
  }

  get isScarce(): boolean {
    return this.#freeCount + this.#kernelHeld < this.#count >>> 2;
  }

  /** Buffers that can be acquired now. */
  get freeCount(): number {
    return this.#freeCount;
  }

  /** Buffers that the kernel may receive into. */
  get kernelHeld(): number {
    return this.#kernelHeld;
  }

  /** The kernel has a buffer or could get one. */
  get canReceive(): boolean {
    return this.#kernelHeld > 0 || this.#freeCount > this.#reserve;
  }

  /** A completion brought buffer `id`: it is the data plane's with one reference. */
  take(id: number): void {
    invariant(this.#references[id] === 0, 'the kernel fills only buffers that it was given');
    this.#references[id] = 1;
    this.#kernelHeld--;
  }

  /** A receive found no buffer: let the kernel hold more from now on. */
  grow(): void {
    if (this.#kernelTarget < KERNEL_ENTRIES) this.#kernelTarget *= 2;
  }

  /** Tops the kernel's ring up to its target; one publication of the tail however many buffers. */
  refill(): void {
    const wanted = this.#kernelTarget - this.#kernelHeld;
    const count = Math.min(wanted, this.#freeCount - this.#reserve);
    if (count <= 0) return;
    const words = this.entries.words;
    for (let i = 0; i < count; i++) {
      const id = this.#free[--this.#freeCount] as number;
      const at = this.startOf(id) + this.headroomBytes;
      const entry = this.#tail & (KERNEL_ENTRIES - 1);
      words[entry * 4] = this.mapping.low(at, this.sizeBytes);
      words[entry * 4 + 1] = this.mapping.high(at);
      words[entry * 4 + 2] = this.sizeBytes;
      this.#entryHalves[entry * 8 + 6] = id;
      this.#tail++;
    }
    this.#kernelHeld += count;
    // The tail lies in the unused last half word of the first entry.
    Atomics.store(this.#entryHalves, 7, this.#tail & 0xffff);
  }

  /** Unmaps everything; the ring must be closed before, as the kernel writes into this memory. */
  close(): void {
    this.mapping.unmap();
    this.entries.unmap();
  }

  /** struct io_uring_buf_reg: ring address, entries, group. */
  #register(libc: Libc, ring: Ring): void {
    const argument = Mapping.anonymous(libc, 4096);
    argument.words[0] = this.entries.low(0, this.entries.length);
    argument.words[1] = this.entries.high(0);
    argument.words[2] = KERNEL_ENTRIES;
    argument.words[3] = BUFFER_GROUP;
    const result = ring.register(Uring.REGISTER_PBUF_RING, argument.address, 1);
    argument.unmap();
    if (result < 0) {
      throw new Error(`Cannot register receive buffers as the kernel refuses: errno ${-result}`);
    }
  }
}
