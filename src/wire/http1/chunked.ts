import type { FailureCode } from '../../model/failure.ts';
import { limits } from '../../model/limits.ts';
import { ChunkExtension } from './chunk-extension.ts';
import { Byte, hexValue } from './tokens.ts';
import { TrailerSection } from './trailer-section.ts';

/** What one call of `ChunkedDecoder.next` came to. */
export const Chunk = {
  /** All bytes are taken, nothing to forward yet. */
  NEED_MORE: 0,
  /** `bytes[dataStart, dataEnd)` is content. */
  DATA: 1,
  /** The body and its trailer section are complete; bytes behind belong to the next message. */
  END: 2,
  /** Invalid; `failure` says why. */
  REFUSED: 3,
} as const;

const State = {
  SIZE: 0,
  SIZE_LF: 1,
  DATA: 2,
  DATA_CR: 3,
  DATA_LF: 4,
  TRAILER: 5,
  DONE: 6,
  REFUSED: 7,
} as const;

/** 16 digits bound leading zeros as well as the value. */
const SIZE_DIGITS_MAX = 16;

/**
 * Decodes a chunked body (RFC 9112 §7.1) strictly: exact CRLFs, sizes of at most 16 hex digits and
 * 2^53-1, extensions
 * of valid grammar that are bounded and dropped, trailer fields that are bounded and dropped.
 *
 * Two ways to use it on one body, alternating:
 *
 *   verbatimRun  the part of a buffer that may be forwarded byte for byte: canonical framing and
 * data
 *   next         one event; data is to be framed anew (`writeChunkLine`), END to be written as `0
 * CRLF CRLF`
 *
 * While `isVerbatim` is true the receiver stands inside a chunk whose size line went out by
 * `verbatimRun`: try
 * `verbatimRun` first. It returns 0 only when there is nothing to forward or `next` will refuse.
 */
export class ChunkedDecoder {
  event: number = Chunk.NEED_MORE;
  dataStart = 0;
  dataEnd = 0;
  /** `chunk-invalid` or `trailer-invalid` once refused. */
  failure: FailureCode | null = null;
  /** The receiver of the verbatim bytes is inside a chunk. */
  isVerbatim = false;
  #state: number = State.SIZE;
  /** Bytes of data still to come in the current chunk. */
  #left = 0;
  #digits = 0;
  #lineBytes = 0;
  #extensionBytes = 0;
  readonly #extension = new ChunkExtension();
  readonly #trailers = new TrailerSection();

  /** Ready for a new body. */
  reset(): void {
    this.event = Chunk.NEED_MORE;
    this.dataStart = 0;
    this.dataEnd = 0;
    this.failure = null;
    this.isVerbatim = false;
    this.#extensionBytes = 0;
    this.#startChunk();
  }

  #startChunk(): void {
    this.#state = State.SIZE;
    this.#left = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
    this.#extension.reset();
  }

  /**
   * Takes bytes of `[at, end)` up to and with one event, sets `event` and returns how many were
   * taken. After END or
   * REFUSED nothing more is taken until `reset`.
   */
  next(bytes: Uint8Array, at: number, end: number): number {
    let from = at;
    this.event = Chunk.NEED_MORE;
    while (from < end) {
      if (this.#state === State.DATA) return this.#takeData(from, end) - at;
      if (this.#state >= State.DONE) break;
      this.#step(bytes[from]!);
      from++;
    }
    if (this.#state === State.DONE) this.event = Chunk.END;
    else if (this.#state === State.REFUSED) this.event = Chunk.REFUSED;
    return from - at;
  }

  #takeData(from: number, end: number): number {
    const to = end - from > this.#left ? from + this.#left : end;
    this.event = Chunk.DATA;
    this.dataStart = from;
    this.dataEnd = to;
    this.#left -= to - from;
    if (this.#left === 0) this.#state = State.DATA_CR;
    return to;
  }

  #step(c: number): void {
    switch (this.#state) {
      case State.SIZE:
        this.#stepSizeLine(c);
        return;
      case State.SIZE_LF:
        if (c !== Byte.LF) this.#refuse('chunk-invalid');
        else if (this.#left > 0) this.#state = State.DATA;
        else {
          this.#state = State.TRAILER;
          this.#trailers.reset();
        }
        return;
      case State.DATA_CR:
        if (c === Byte.CR) this.#state = State.DATA_LF;
        else this.#refuse('chunk-invalid');
        return;
      case State.DATA_LF:
        if (c !== Byte.LF) this.#refuse('chunk-invalid');
        else {
          this.isVerbatim = false;
          this.#startChunk();
        }
        return;
      default:
        this.#stepTrailer(c);
    }
  }

  #stepSizeLine(c: number): void {
    if (++this.#lineBytes > limits.chunkLineBytes || !this.#takeOfSizeLine(c)) {
      this.#refuse('chunk-invalid');
    }
  }

  #takeOfSizeLine(c: number): boolean {
    const digit = hexValue[c]!;
    if (digit <= 15 && this.#extension.isUntouched) {
      this.#left = this.#left * 16 + digit;
      return ++this.#digits <= SIZE_DIGITS_MAX && this.#left <= Number.MAX_SAFE_INTEGER;
    }
    if (this.#digits === 0) return false;
    if (c === Byte.CR) {
      this.#state = State.SIZE_LF;
      return this.#extension.mayEnd;
    }
    // RFC 9112 §7.1.1: limit the extensions of a whole message, not only of one line
    // (CVE-2023-39326)
    const isTooMuch = ++this.#extensionBytes > limits.chunkExtensionBytesTotal;
    return !isTooMuch && this.#extension.take(c);
  }

  #stepTrailer(c: number): void {
    if (!this.#trailers.take(c)) this.#refuse('trailer-invalid');
    else if (this.#trailers.isComplete) this.#state = State.DONE;
  }

  #refuse(failure: FailureCode): void {
    this.#state = State.REFUSED;
    this.failure = failure;
  }

  /**
   * The longest prefix of `bytes[at, end)` that is canonical framing and data: size lines without
   * leading zeros and
   * extensions, exact CRLFs, and the last chunk when it ends the body without trailers. Advances
   * the decoder past
   * it and returns its length; `event` is END when the body is complete by it, else NEED_MORE.
   *
   * 0 when the decoder stands inside something that `next` has begun, or at something only `next`
   * can judge. An
   * incomplete size line is never part of the run, so that what was forwarded stays canonical
   * whatever follows.
   * Cost: a few reads per chunk; data is skipped, not looked at.
   */
  verbatimRun(bytes: Uint8Array, at: number, end: number): number {
    let to = at;
    this.event = Chunk.NEED_MORE;
    if (this.isVerbatim) to = this.#finishVerbatimChunk(bytes, at, end);
    // nothing of a size line has been taken by `next` yet
    while (this.#state === State.SIZE && this.#lineBytes === 0 && to < end) {
      const lineEnd = canonicalSizeLine(bytes, to, end);
      if (lineEnd === 0) break;
      const size = sizeOf(bytes, to, lineEnd - 2);
      if (size === 0) {
        if (end - lineEnd < 2 || bytes[lineEnd] !== Byte.CR || bytes[lineEnd + 1] !== Byte.LF)
          break;
        this.#state = State.DONE;
        this.event = Chunk.END;
        return lineEnd + 2 - at;
      }
      this.#left = size;
      this.#state = State.DATA;
      this.isVerbatim = true;
      to = this.#finishVerbatimChunk(bytes, lineEnd, end);
    }
    return to - at;
  }

  /**
   * Passes the rest of a chunk that went out verbatim so far; returns how far its bytes are as
   * they must be.
   */
  #finishVerbatimChunk(bytes: Uint8Array, at: number, end: number): number {
    let to = at;
    if (this.#state === State.DATA) {
      if (end - to < this.#left) {
        this.#left -= end - to;
        return end;
      }
      to += this.#left;
      this.#left = 0;
      this.#state = State.DATA_CR;
    }
    if (this.#state === State.DATA_CR && to < end && bytes[to] === Byte.CR) {
      this.#state = State.DATA_LF;
      to++;
    }
    if (this.#state === State.DATA_LF && to < end && bytes[to] === Byte.LF) {
      this.isVerbatim = false;
      this.#startChunk();
      to++;
    }
    return to;
  }
}

/**
 * Offset behind `1*HEXDIG CRLF` without leading zeros (or `0` alone), 0 when the line is anything
 * else or incomplete.
 */
function canonicalSizeLine(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  // 13 digits stay below 2^53
  while (at < end && at - start < 14 && hexValue[bytes[at]!]! <= 15) at++;
  const digits = at - start;
  if (digits === 0 || digits > 13 || end - at < 2) return 0;
  if (bytes[start] === Byte.ZERO && digits > 1) return 0;
  return bytes[at] === Byte.CR && bytes[at + 1] === Byte.LF ? at + 2 : 0;
}

function sizeOf(bytes: Uint8Array, start: number, end: number): number {
  let size = 0;
  for (let at = start; at < end; at++) size = size * 16 + hexValue[bytes[at]!]!;
  return size;
}
