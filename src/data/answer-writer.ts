import type { BufferPool, Link } from '../platform/driver.ts';
import { editResponseHead } from '../wire/http1/edit-head.ts';
import { Framing, type Head } from '../wire/http1/head.ts';
import { responseHeadBytesMax, writeResponseHead } from '../wire/http1/write-response.ts';
import type { Exchange } from './exchange.ts';
import type { ListenerState } from './listener-state.ts';
import { Outbox } from './outbox.ts';
import type { Plane } from './plane.ts';
import type { HeadPlace } from './request-writer.ts';

/**
 * Writes answers to one HTTP/1.x client: heads in the client's version, bodies as spans. An outbox itself,
 * as one object less is one cache line less for every answer.
 */
export class AnswerWriter extends Outbox {
  readonly #plane: Plane;
  readonly #listener: ListenerState;

  constructor(plane: Plane, listener: ListenerState, link: Link) {
    super(plane.buffers, link);
    this.#plane = plane;
    this.#listener = listener;
  }

  /** How the body of this answer is framed for a client of this version. */
  framingFor(head: Head, minor: number): number {
    if (head.framing === Framing.CHUNKED && minor === 0) return Framing.CLOSE;
    if (head.framing === Framing.CLOSE && minor === 1) return Framing.CHUNKED;
    return head.framing;
  }

  interim(head: Head): void {
    const plane = this.#plane;
    const form = plane.responseForm;
    form.framing = Framing.NONE;
    form.closes = false;
    form.edits = null;
    const end = writeResponseHead(plane.wideScratch, 0, head, form);
    this.copy(plane.wideScratch, 0, end);
  }

  /**
   * Writes a final head, with framing and closing as `plane.responseForm` says, so that the body, which begins at `bodyAt` of buffer `id`, follows it in one send
   * where there is room from `floor` on; `id` -1: the head stands in a copy.
   */
  head(head: Head, place: HeadPlace): void {
    const plane = this.#plane;
    const form = plane.responseForm;
    form.contentLength = head.contentLength;
    form.dateLine = plane.dateLine;
    if (place.id >= 0 && place.floor <= head.start) {
      const start = editResponseHead(head, form);
      if (start >= 0) {
        this.edited(place.id, start, place.bodyAt - start);
        return;
      }
    }
    this.#anew(head, place, plane.buffers);
  }

  /** A whole answer of ours. */
  own(bytes: Uint8Array): void {
    this.copy(bytes, 0, bytes.length);
  }

  /** Sends what waits and notes the answer's bytes in the exchange and for the listener. */
  tally(exchange: Exchange): void {
    this.flush();
    exchange.answerBytes = this.bytes;
    this.#listener.countBytesOut(this.bytes);
    this.bytes = 0;
  }

  #anew(head: Head, place: HeadPlace, buffers: BufferPool): void {
    const plane = this.#plane;
    const form = plane.responseForm;
    const isWide = responseHeadBytesMax(head, form) > plane.scratchBytes;
    const out = isWide ? plane.wideScratch : buffers.bytes;
    const from = isWide ? 0 : plane.scratchAt;
    const to = writeResponseHead(out, from, head, form);
    // A close-delimited body becomes chunked: its first chunk line needs the place before the body.
    const isPlaced = form.framing === head.framing || form.framing !== Framing.CHUNKED;
    const isQueued = this.queueHead(
      out,
      from,
      to,
      isPlaced ? place.id : -1,
      place.floor,
      place.bodyAt,
    );
    if (!isQueued) this.link.abort();
  }
}
