import { invariant } from '../../base/invariant.ts';
import type { UringBuffers } from './buffers.ts';
import { type MessageSlots, VECTORS_MAX } from './messages.ts';

/** Segments that may wait in one link: 32 times what fits the queue's high mark in whole buffers. */
const SEGMENTS_MAX = 4096;
const SEGMENTS_FIRST = 4;
/** Below this a segment behind others is copied together with its neighbours: cheaper than a vector. */
const COPY_BELOW_BYTES = 256;

/**
 * What waits to be sent on one link, in order: a ring of segments (buffer id, offset, length), each
 * holding one reference of its buffer, and one buffer that copied bytes are gathered in.
 *
 *   [ in flight … | waiting … | last ]      copies: last copied byte → free room of the copy buffer
 */
export class SendQueue {
  /** Bytes that the kernel has not taken. */
  queuedBytes = 0;
  /** Segments, those in flight included. */
  count = 0;
  /** Segments that the operation in flight covers. */
  inFlight = 0;
  readonly #buffers: UringBuffers;
  #segments: Int32Array | null = null;
  #capacity = 0;
  #start = 0;
  #copyId = -1;
  #copyEnd = 0;

  constructor(buffers: UringBuffers) {
    this.#buffers = buffers;
  }

  /** Takes over one reference of `id`. False when full: nothing was taken. */
  append(id: number, offset: number, length: number): boolean {
    if (this.count > 0 && length < COPY_BELOW_BYTES && !this.#follows(id, offset)) {
      if (this.appendCopy(this.#buffers.bytes, offset, offset + length)) {
        this.#buffers.release(id);
        return true;
      }
    }
    if (this.#extend(id, offset, length)) {
      this.#buffers.release(id);
      return true;
    }
    return this.#push(id, offset, length);
  }

  /** Queues a copy of `bytes[start, end)`. False when there is no room: nothing was queued. */
  appendCopy(bytes: Uint8Array, start: number, end: number): boolean {
    const stride = this.#buffers.strideBytes;
    const room =
      this.#copyId < 0 ? 0 : this.#buffers.startOf(this.#copyId) + stride - this.#copyEnd;
    const more = Math.ceil(Math.max(0, end - start - room) / stride);
    if (more > this.#buffers.freeCount || this.count + more + 1 > SEGMENTS_MAX) return false;
    let from = start;
    let space = room;
    while (from < end) {
      if (space === 0) {
        this.#openCopy();
        space = stride;
      }
      const length = Math.min(space, end - from);
      this.#copyPiece(bytes, from, length);
      from += length;
      space = 0;
    }
    return true;
  }

  /** Offset of the first segment. */
  get firstOffset(): number {
    return (this.#segments as Int32Array)[this.#start * 3 + 1] as number;
  }

  /** Length of the first segment. */
  get firstLength(): number {
    return (this.#segments as Int32Array)[this.#start * 3 + 2] as number;
  }

  /** Writes up to 16 segments from the first into message `slot`; returns how many. */
  fillMessage(messages: MessageSlots, slot: number): number {
    const segments = this.#segments as Int32Array;
    const count = Math.min(this.count, VECTORS_MAX);
    for (let i = 0; i < count; i++) {
      const at = ((this.#start + i) & (this.#capacity - 1)) * 3;
      const offset = segments[at + 1] as number;
      messages.setVector(slot, i, this.#buffers.mapping, offset, segments[at + 2] as number);
    }
    messages.setCount(slot, count);
    return count;
  }

  /** The kernel took `bytes` from the front: finished segments are released, a partial one moves on. */
  consume(bytes: number): void {
    const segments = this.#segments as Int32Array;
    this.inFlight = 0;
    this.queuedBytes -= bytes;
    let left = bytes;
    while (left > 0) {
      invariant(this.count > 0, 'the kernel takes no more than it was given');
      const at = this.#start * 3;
      const length = segments[at + 2] as number;
      if (left < length) {
        segments[at + 1] = (segments[at + 1] as number) + left;
        segments[at + 2] = length - left;
        return;
      }
      left -= length;
      this.#start = (this.#start + 1) & (this.#capacity - 1);
      this.count--;
      this.#buffers.release(segments[at] as number);
    }
    if (this.count === 0) this.#closeCopy();
  }

  /** Releases what is not in flight; the rest when its operation has completed (`inFlight` set to 0). */
  drop(): void {
    const segments = this.#segments;
    while (segments !== null && this.count > this.inFlight) {
      this.count--;
      const at = ((this.#start + this.count) & (this.#capacity - 1)) * 3;
      this.#buffers.release(segments[at] as number);
    }
    this.#closeCopy();
    this.queuedBytes = 0;
  }

  /** True when the bytes at `offset` of `id` directly follow the last waiting segment. */
  #follows(id: number, offset: number): boolean {
    if (this.count <= this.inFlight) return false;
    const segments = this.#segments as Int32Array;
    const at = ((this.#start + this.count - 1) & (this.#capacity - 1)) * 3;
    if (segments[at] !== id) return false;
    return (segments[at + 1] as number) + (segments[at + 2] as number) === offset;
  }

  #extend(id: number, offset: number, length: number): boolean {
    if (!this.#follows(id, offset)) return false;
    const segments = this.#segments as Int32Array;
    const at = ((this.#start + this.count - 1) & (this.#capacity - 1)) * 3;
    segments[at + 2] = (segments[at + 2] as number) + length;
    this.queuedBytes += length;
    return true;
  }

  #push(id: number, offset: number, length: number): boolean {
    if (this.count === this.#capacity && !this.#grow()) return false;
    const segments = this.#segments as Int32Array;
    const at = ((this.#start + this.count) & (this.#capacity - 1)) * 3;
    segments[at] = id;
    segments[at + 1] = offset;
    segments[at + 2] = length;
    this.count++;
    this.queuedBytes += length;
    return true;
  }

  #grow(): boolean {
    if (this.#capacity === SEGMENTS_MAX) return false;
    const capacity = this.#capacity === 0 ? SEGMENTS_FIRST : this.#capacity * 2;
    const grown = new Int32Array(capacity * 3);
    for (let i = 0; i < this.count; i++) {
      const from = ((this.#start + i) & (this.#capacity - 1)) * 3;
      const old = this.#segments as Int32Array;
      for (let word = 0; word < 3; word++) grown[i * 3 + word] = old[from + word] as number;
    }
    this.#segments = grown;
    this.#capacity = capacity;
    this.#start = 0;
    return true;
  }

  #copyPiece(bytes: Uint8Array, from: number, length: number): void {
    const id = this.#copyId;
    const at = this.#copyEnd;
    this.#buffers.bytes.set(bytes.subarray(from, from + length), at);
    this.#copyEnd = at + length;
    if (this.#extend(id, at, length)) return;
    this.#buffers.retain(id);
    const isQueued = this.#push(id, at, length);
    invariant(isQueued, 'room for the segments of a copy was checked');
  }

  #openCopy(): void {
    this.#closeCopy();
    const id = this.#buffers.acquire();
    invariant(id >= 0, 'buffers for a copy were counted');
    this.#copyId = id;
    this.#copyEnd = this.#buffers.startOf(id);
  }

  #closeCopy(): void {
    if (this.#copyId < 0) return;
    this.#buffers.release(this.#copyId);
    this.#copyId = -1;
  }
}
