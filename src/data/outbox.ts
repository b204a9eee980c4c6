import type { BufferPool, Link } from '../platform/driver.ts';
import type { SpanSink } from './exchange.ts';
import { sendSparing } from './send-sparing.ts';

/**
 * Sends heads and body spans of one link so that a head and the body bytes behind it leave in one piece.
 *
 *   buffer:  | headroom | received head            | body bytes |
 *                     | rewritten head ------------>|            one send
 */
export class Outbox implements SpanSink {
  protected readonly link: Link;
  /** Bytes given to the link since `bytes` was last set to 0. */
  bytes = 0;
  readonly #pool: BufferPool;
  #id = -1;
  #at = 0;
  #length = 0;

  constructor(pool: BufferPool, link: Link) {
    this.#pool = pool;
    this.link = link;
  }

  /**
   * Queues the head `out[from, to)`. When it fits between `floor` and `at` in buffer `id` it waits there
   * for the body bytes that begin at `at`; else it is copied. `id` -1: always copied. False: no buffer.
   */
  protected queueHead(
    out: Uint8Array,
    from: number,
    to: number,
    id: number,
    floor: number,
    at: number,
  ): boolean {
    this.flush();
    const length = to - from;
    const pool = this.#pool;
    if (id < 0 || at - length < floor) {
      this.bytes += length;
      return this.link.sendCopy(out, from, to);
    }
    if (out === pool.bytes) out.copyWithin(at - length, from, to);
    else pool.bytes.set(out.subarray(from, to), at - length);
    pool.retain(id);
    this.#id = id;
    this.#at = at - length;
    this.#length = length;
    return true;
  }

  /** A head that was edited where it stands, `length` bytes up to its body. */
  protected edited(id: number, at: number, length: number): void {
    this.flush();
    this.#pool.retain(id);
    this.#id = id;
    this.#at = at;
    this.#length = length;
  }

  span(id: number, offset: number, length: number): void {
    if (this.#id >= 0) {
      if (this.#id === id && this.#at + this.#length === offset) {
        this.#pool.release(id);
        this.#length += length;
        return;
      }
      this.flush();
    }
    this.#id = id;
    this.#at = offset;
    this.#length = length;
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    this.flush();
    // Aborted when buffers ran out, while more of the same message comes.
    if (!this.link.isOpen) return;
    this.bytes += end - start;
    if (!this.link.sendCopy(bytes, start, end)) this.link.abort();
  }

  /** What waits for more body bytes leaves now. */
  flush(): void {
    if (this.#id < 0) return;
    if (!this.link.isOpen) {
      this.discard();
      return;
    }
    const id = this.#id;
    this.#id = -1;
    this.bytes += this.#length;
    sendSparing(this.#pool, this.link, id, this.#at, this.#length);
  }

  /** Drops what waits. */
  discard(): void {
    if (this.#id < 0) return;
    this.#pool.release(this.#id);
    this.#id = -1;
  }
}
