import { invariant } from '../../base/invariant.ts';
import type { UringBuffers } from './buffers.ts';
import { type MessageSlots, VECTORS_MAX } from './messages.ts';

/** Segments that may wait in one link: 32 times what fits the queue's high mark in whole buffers. */
const SEGMENTS_MAX = 4096;
const SEGMENTS_FIRST = 4;
/** Below this a segment behind others is copied together with its neighbours: cheaper than a vector. */
const COPY_BELOW_BYTES = 256;

/**
 * What waits to be sent on one link, in order: segments (buffer id, offset, length), each holding one
 * reference of its buffer, and one buffer that copied bytes are gathered in.
 *
 *   first | second … last        in flight: a prefix       copies: last copied byte → free room of the copy buffer
 *   here  | in `Backlog`
 *
 * The first segment stands in fields of the link itself, which extends this class, and all others in an
 * object that most links never make: with hundreds of links the memory that an exchange touches is what
 * its JavaScript costs.
 */
export class SendQueue {
  /** Bytes that the kernel has not taken. */
  queuedBytes = 0;
  /** Segments, those in flight included. */
  queuedSegments = 0;
  /** Segments that the operation in flight covers. */
  inFlightSegments = 0;
  /** Offset and length of the first segment; meaningful while there is one. */
  firstOffset = 0;
  firstLength = 0;
  #firstId = 0;
  #backlog: Backlog | null = null;
  readonly #buffers: UringBuffers;

  constructor(buffers: UringBuffers) {
    this.#buffers = buffers;
  }

  /** Takes over one reference of `id`. False when full: nothing was taken. */
  protected append(id: number, offset: number, length: number): boolean {
    if (this.queuedSegments === 0) {
      this.#setFirst(id, offset, length);
      this.queuedSegments = 1;
      this.queuedBytes = length;
      return true;
    }
    if (length < COPY_BELOW_BYTES && !this.#follows(id, offset)) {
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
  protected appendCopy(bytes: Uint8Array, start: number, end: number): boolean {
    const backlog = this.#ensureBacklog();
    const stride = this.#buffers.strideBytes;
    const { copyId, copyEnd } = backlog;
    const room = copyId < 0 ? 0 : this.#buffers.startOf(copyId) + stride - copyEnd;
    const more = Math.ceil(Math.max(0, end - start - room) / stride);
    if (more > this.#buffers.freeCount || this.queuedSegments + more + 1 > SEGMENTS_MAX) {
      return false;
    }
    let from = start;
    let space = room;
    while (from < end) {
      if (space === 0) {
        this.#openCopy(backlog);
        space = stride;
      }
      const length = Math.min(space, end - from);
      this.#copyPiece(backlog, bytes, from, length);
      from += length;
      space = 0;
    }
    return true;
  }

  /** Writes up to 16 segments from the first into message `slot`; returns how many. */
  fillMessage(messages: MessageSlots, slot: number): number {
    const { mapping } = this.#buffers;
    const count = Math.min(this.queuedSegments, VECTORS_MAX);
    messages.setVector(slot, 0, mapping, this.firstOffset, this.firstLength);
    const backlog = this.#backlog;
    for (let i = 1; i < count; i++) {
      const at = backlog!.wordOf(i - 1);
      const { segments } = backlog!;
      messages.setVector(slot, i, mapping, segments[at + 1] as number, segments[at + 2] as number);
    }
    messages.setCount(slot, count);
    return count;
  }

  /** The kernel took `bytes` from the front: finished segments are released, a partial one moves on. */
  protected consume(bytes: number): void {
    this.inFlightSegments = 0;
    this.queuedBytes -= bytes;
    let left = bytes;
    while (left > 0) {
      invariant(this.queuedSegments > 0, 'the kernel takes no more than it was given');
      const length = this.firstLength;
      if (left < length) {
        this.firstOffset += left;
        this.firstLength = length - left;
        return;
      }
      left -= length;
      const id = this.#firstId;
      this.queuedSegments--;
      if (this.queuedSegments > 0) this.#shift();
      this.#buffers.release(id);
    }
    if (this.queuedSegments === 0 && this.#backlog !== null) this.#closeCopy(this.#backlog);
  }

  /** Releases what is not in flight; the rest when its operation has completed (`inFlightSegments` set to 0). */
  protected drop(): void {
    const backlog = this.#backlog;
    while (this.queuedSegments > this.inFlightSegments) {
      this.queuedSegments--;
      if (this.queuedSegments === 0) this.#buffers.release(this.#firstId);
      else {
        backlog!.count--;
        this.#buffers.release(backlog!.segments[backlog!.wordOf(backlog!.count)] as number);
      }
    }
    if (backlog !== null) this.#closeCopy(backlog);
    this.queuedBytes = 0;
  }

  #setFirst(id: number, offset: number, length: number): void {
    this.#firstId = id;
    this.firstOffset = offset;
    this.firstLength = length;
  }

  /** The second segment becomes the first. */
  #shift(): void {
    const backlog = this.#backlog!;
    const at = backlog.wordOf(0);
    const { segments } = backlog;
    this.#setFirst(segments[at] as number, segments[at + 1] as number, segments[at + 2] as number);
    backlog.start = (backlog.start + 1) & (backlog.capacity - 1);
    backlog.count--;
  }

  #ensureBacklog(): Backlog {
    this.#backlog ??= new Backlog();
    return this.#backlog;
  }

  /** True when the bytes at `offset` of `id` directly follow the last waiting segment. */
  #follows(id: number, offset: number): boolean {
    if (this.queuedSegments <= this.inFlightSegments) return false;
    if (this.queuedSegments === 1) {
      return this.#firstId === id && this.firstOffset + this.firstLength === offset;
    }
    const backlog = this.#backlog!;
    const at = backlog.wordOf(backlog.count - 1);
    const { segments } = backlog;
    if (segments[at] !== id) return false;
    return (segments[at + 1] as number) + (segments[at + 2] as number) === offset;
  }

  #extend(id: number, offset: number, length: number): boolean {
    if (!this.#follows(id, offset)) return false;
    if (this.queuedSegments === 1) this.firstLength += length;
    else {
      const backlog = this.#backlog!;
      const at = backlog.wordOf(backlog.count - 1);
      backlog.segments[at + 2] = (backlog.segments[at + 2] as number) + length;
    }
    this.queuedBytes += length;
    return true;
  }

  #push(id: number, offset: number, length: number): boolean {
    if (this.queuedSegments === 0) this.#setFirst(id, offset, length);
    else if (!this.#ensureBacklog().push(id, offset, length)) return false;
    this.queuedSegments++;
    this.queuedBytes += length;
    return true;
  }

  #copyPiece(backlog: Backlog, bytes: Uint8Array, from: number, length: number): void {
    const id = backlog.copyId;
    const at = backlog.copyEnd;
    this.#buffers.bytes.set(bytes.subarray(from, from + length), at);
    backlog.copyEnd = at + length;
    if (this.#extend(id, at, length)) return;
    this.#buffers.retain(id);
    const isQueued = this.#push(id, at, length);
    invariant(isQueued, 'room for the segments of a copy was checked');
  }

  #openCopy(backlog: Backlog): void {
    this.#closeCopy(backlog);
    const id = this.#buffers.acquire();
    invariant(id >= 0, 'buffers for a copy were counted');
    backlog.copyId = id;
    backlog.copyEnd = this.#buffers.startOf(id);
  }

  #closeCopy(backlog: Backlog): void {
    if (backlog.copyId < 0) return;
    this.#buffers.release(backlog.copyId);
    backlog.copyId = -1;
  }
}

/** Segments behind the first, in a ring of three words each, and the buffer of copies. */
class Backlog {
  segments: Int32Array = new Int32Array(SEGMENTS_FIRST * 3);
  capacity = SEGMENTS_FIRST;
  start = 0;
  count = 0;
  copyId = -1;
  copyEnd = 0;

  /** First word of the segment `index` places behind the start. */
  wordOf(index: number): number {
    return ((this.start + index) & (this.capacity - 1)) * 3;
  }

  /** False when full. */
  push(id: number, offset: number, length: number): boolean {
    if (this.count === this.capacity && !this.#grow()) return false;
    const at = this.wordOf(this.count);
    this.segments[at] = id;
    this.segments[at + 1] = offset;
    this.segments[at + 2] = length;
    this.count++;
    return true;
  }

  #grow(): boolean {
    if (this.capacity === SEGMENTS_MAX) return false;
    const grown = new Int32Array(this.capacity * 6);
    for (let i = 0; i < this.count; i++) {
      const from = this.wordOf(i);
      for (let word = 0; word < 3; word++)
        grown[i * 3 + word] = this.segments[from + word] as number;
    }
    this.segments = grown;
    this.capacity *= 2;
    this.start = 0;
    return true;
  }
}
