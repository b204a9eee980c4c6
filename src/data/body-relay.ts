import { invariant } from '../base/invariant.ts';
import type { FailureCode } from '../model/failure.ts';
import type { BufferPool } from '../platform/driver.ts';
import { Chunk, ChunkedDecoder } from '../wire/http1/chunked.ts';
import { Framing } from '../wire/http1/head.ts';
import type { SpanSink } from './exchange.ts';

const LAST_CHUNK = new Uint8Array([0x30, 13, 10, 13, 10]);
const CRLF_LAST_CHUNK = new Uint8Array([13, 10, 0x30, 13, 10, 13, 10]);

/**
 * One body on its way from one link to another: parsed in the framing it came in, written in the framing
 * that was agreed with the other side. Never relays framing that it has not parsed.
 *
 * A chunk line of ours is written over the sender's, directly before its data, so that a span leaves in
 * one piece; the sender's line is never shorter than ours, and a buffer's headroom serves for its first.
 */
export class BodyRelay {
  /** The last byte (and trailer section) of the body was seen. */
  isComplete = true;
  failure: FailureCode | null = null;
  #inFraming = 0;
  #isChunkedOut = false;
  #remaining = 0;
  #decoder: ChunkedDecoder | null = null;
  /** Data of a chunk of ours was sent and its closing CRLF was not. */
  #owesCrlf = false;
  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  start(inFraming: number, contentLength: number, outFraming: number): void {
    this.#inFraming = inFraming;
    this.#remaining = contentLength;
    this.#isChunkedOut = outFraming === Framing.CHUNKED;
    this.isComplete =
      inFraming === Framing.NONE || (inFraming === Framing.LENGTH && contentLength === 0);
    this.failure = null;
    this.#owesCrlf = false;
    if (inFraming === Framing.CHUNKED) {
      this.#decoder ??= new ChunkedDecoder();
      this.#decoder.reset();
    }
  }

  /**
   * Takes body bytes `[at, end)` of buffer `id`; the caller keeps its reference. Returns the offset behind
   * the last byte that belongs to the body. Sets `isComplete` or `failure`.
   */
  feed(id: number, at: number, end: number, sink: SpanSink): number {
    if (this.#inFraming === Framing.LENGTH) {
      const length = Math.min(end - at, this.#remaining);
      if (length > 0) {
        this.#remaining -= length;
        this.#pool.retain(id);
        sink.span(id, at, length);
      }
      if (this.#remaining === 0) this.isComplete = true;
      return at + length;
    }
    if (this.#inFraming === Framing.CHUNKED) return this.#feedChunked(id, at, end, sink);
    if (this.#inFraming === Framing.CLOSE && at < end) {
      this.#data(id, at, end, sink);
      return end;
    }
    return at;
  }

  /** The sender's link ended in order: completes a close-delimited body. False when bytes are missing. */
  linkEnded(sink: SpanSink): boolean {
    if (this.isComplete) return true;
    if (this.#inFraming !== Framing.CLOSE) return false;
    this.isComplete = true;
    this.#lastChunk(sink);
    return true;
  }

  /** Body bytes that are still to come by `Content-Length`; 0 for other framings. */
  get remaining(): number {
    return this.#inFraming === Framing.LENGTH ? this.#remaining : 0;
  }

  #feedChunked(id: number, from: number, end: number, sink: SpanSink): number {
    const decoder = this.#decoder;
    invariant(decoder !== null, 'a chunked body has a decoder');
    const bytes = this.#pool.bytes;
    let at = from;
    while (at < end && !this.isComplete) {
      if (this.#isChunkedOut) {
        const length = decoder.verbatimRun(bytes, at, end);
        if (length > 0) {
          this.#run(id, at, at + length, sink);
          at += length;
          if (decoder.event === Chunk.END) this.isComplete = true;
          continue;
        }
      }
      at += decoder.next(bytes, at, end);
      if (decoder.event === Chunk.DATA) {
        this.#data(id, decoder.dataStart, decoder.dataEnd, sink);
      } else if (decoder.event === Chunk.END) {
        this.isComplete = true;
        this.#lastChunk(sink);
      } else if (decoder.event === Chunk.REFUSED) {
        this.failure = decoder.failure;
        break;
      }
    }
    return at;
  }

  /** A run in canonical framing leaves as it came, after the CRLF that we may owe. */
  #run(id: number, from: number, to: number, sink: SpanSink): void {
    let at = from;
    if (this.#owesCrlf) {
      at -= 2;
      this.#pool.bytes[at] = 13;
      this.#pool.bytes[at + 1] = 10;
      this.#owesCrlf = false;
    }
    this.#pool.retain(id);
    sink.span(id, at, to - at);
  }

  /** Plain data: as it is, or as one chunk of ours. */
  #data(id: number, from: number, to: number, sink: SpanSink): void {
    const pool = this.#pool;
    let at = from;
    if (this.#isChunkedOut) {
      const bytes = pool.bytes;
      bytes[--at] = 10;
      bytes[--at] = 13;
      for (let size = to - from; size > 0; size >>>= 4) {
        const digit = size & 15;
        bytes[--at] = digit < 10 ? 48 + digit : 87 + digit;
      }
      if (this.#owesCrlf) {
        bytes[--at] = 10;
        bytes[--at] = 13;
      }
      this.#owesCrlf = true;
      invariant(at >= pool.startOf(id), 'a chunk line fits before its data');
    }
    pool.retain(id);
    sink.span(id, at, to - at);
  }

  #lastChunk(sink: SpanSink): void {
    if (!this.#isChunkedOut) return;
    const bytes = this.#owesCrlf ? CRLF_LAST_CHUNK : LAST_CHUNK;
    this.#owesCrlf = false;
    sink.copy(bytes, 0, bytes.length);
  }
}
