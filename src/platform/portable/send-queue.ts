import { limits } from '../../model/limits.ts';
import type { PlainBuffers } from '../plain-buffers.ts';

/** A window of a pool buffer on its way out; the queue holds one reference of the buffer. */
export interface Piece {
  readonly id: number;
  readonly offset: number;
  length: number;
  /** We filled the buffer ourselves and nobody else sees it, so its free tail may take more. */
  readonly isCopy: boolean;
}

/** Pieces of one write: 1 MiB of full buffers; the system takes at most 1,024 at once (IOV_MAX). */
const BATCH_PIECES_MAX = 64;

const NONE: readonly Piece[] = [];

/**
 * What a link still has to send: pieces in order, of which the first may be a batch given to the socket.
 * The length is bounded by its users, who stop at `limits.queueHighBytes`, and by the pool.
 */
export class SendQueue {
  readonly #buffers: PlainBuffers;
  #pieces: Piece[] = [];
  #batch: readonly Piece[] = NONE;
  /** Bytes of the batch in all, and those of them that the kernel has taken. */
  #batchBytes = 0;
  #batchTakenBytes = 0;
  /** All bytes that the kernel has not taken, batch included. */
  queuedBytes = 0;

  constructor(buffers: PlainBuffers) {
    this.#buffers = buffers;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0 && this.#batch.length === 0;
  }

  get hasBatch(): boolean {
    return this.#batch.length > 0;
  }

  /** Appends a window and takes over one reference of its buffer. */
  push(id: number, offset: number, length: number): void {
    if (length === 0) {
      this.#buffers.release(id);
      return;
    }
    this.#pieces.push({ id, offset, length, isCopy: false });
    this.queuedBytes += length;
  }

  /** Appends a copy of `bytes[start, end)`; false, and nothing done, when the pool has too few buffers. */
  pushCopy(bytes: Uint8Array, start: number, end: number): boolean {
    const buffers = this.#buffers;
    const last = this.#pieces.at(-1);
    const tailBytes = last?.isCopy ? this.#endOf(last.id) - (last.offset + last.length) : 0;
    const restBytes = Math.max(0, end - start - tailBytes);
    if (Math.ceil(restBytes / buffers.sizeBytes) > buffers.freeCount) return false;
    let at = start;
    if (last !== undefined && tailBytes > 0) {
      const length = Math.min(tailBytes, end - at);
      buffers.bytes.set(bytes.subarray(at, at + length), last.offset + last.length);
      last.length += length;
      at += length;
    }
    while (at < end) {
      const id = buffers.acquire();
      const offset = buffers.startOf(id) + buffers.headroomBytes;
      const length = Math.min(buffers.sizeBytes, end - at);
      buffers.bytes.set(bytes.subarray(at, at + length), offset);
      this.#pieces.push({ id, offset, length, isCopy: true });
      at += length;
    }
    this.queuedBytes += end - start;
    return true;
  }

  /** The next pieces to write, in order; empty while a batch is out or when nothing waits. */
  takeBatch(): readonly Piece[] {
    if (this.#batch.length > 0 || this.#pieces.length === 0) return NONE;
    if (this.#pieces.length <= BATCH_PIECES_MAX) {
      this.#batch = this.#pieces;
      this.#pieces = [];
    } else {
      this.#batch = this.#pieces.splice(0, BATCH_PIECES_MAX);
    }
    this.#batchBytes = 0;
    this.#batchTakenBytes = 0;
    for (const piece of this.#batch) this.#batchBytes += piece.length;
    return this.#batch;
  }

  /** Notes that `unwrittenBytes` of the batch are left; returns how many bytes went since the last note. */
  noteProgress(unwrittenBytes: number): number {
    const takenBytes = this.#batchBytes - unwrittenBytes - this.#batchTakenBytes;
    if (takenBytes <= 0) return 0;
    this.#batchTakenBytes += takenBytes;
    this.queuedBytes -= takenBytes;
    return takenBytes;
  }

  /** The batch is written: gives its buffers back; returns the bytes not noted before. */
  finishBatch(): number {
    const takenBytes = this.noteProgress(0);
    this.#releaseAll(this.#batch);
    this.#batch = NONE;
    return takenBytes;
  }

  /** Drops what is not in the batch, whose bytes the socket may still read. */
  dropUnsent(): void {
    for (const piece of this.#pieces) this.queuedBytes -= piece.length;
    this.#releaseAll(this.#pieces);
    this.#pieces = [];
  }

  /** Drops everything; only after the socket is closed. */
  dropAll(): void {
    this.dropUnsent();
    this.#releaseAll(this.#batch);
    this.#batch = NONE;
    this.queuedBytes = 0;
  }

  #endOf(id: number): number {
    return this.#buffers.startOf(id) + limits.bufferHeadroomBytes + this.#buffers.sizeBytes;
  }

  #releaseAll(pieces: readonly Piece[]): void {
    for (const piece of pieces) this.#buffers.release(piece.id);
  }
}
