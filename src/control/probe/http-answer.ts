import { limits } from '../../model/limits.ts';
import { TextSearch } from './text-answer.ts';

/** What the reader knows so far. `broken`: not an answer that HTTP/1.1 knows; `why` says what is wrong. */
export type AnswerState = 'head' | 'body' | 'complete' | 'broken';

/** The body text is looked for in this many bytes. */
const bodyBytesMax = 65_536;
const chunkLineBytesMax = 1_024;

type Framing = 'length' | 'chunked' | 'close';

/**
 * Reads one HTTP/1.x answer to a probe, in any number of pieces, from a server that may send anything.
 * Keeps at most 32 KiB of head, looks at 64 KiB of body, and reads no further than it needs: without a
 * body to look at, the end of the head completes the answer; with one, its last byte or the text that was looked for.
 */
export class AnswerReader {
  state: AnswerState = 'head';
  status = 0;
  why = '';
  /** The first 64 KiB of the body, when it is to be kept. */
  body: Buffer = Buffer.alloc(0);
  readonly #text: TextSearch | null;
  readonly #keepsBody: boolean;
  #pending: Buffer = Buffer.alloc(0);
  #interim = 0;
  #framing: Framing = 'close';
  /** Bytes still to come of the body (`length`) or of the chunk (`chunked`; -1 = a size line is next). */
  #remaining = 0;
  #bodyBytes = 0;

  constructor(bodyText: string | null, keepsBody = false) {
    this.#text = bodyText === null || bodyText === '' ? null : new TextSearch(bodyText);
    this.#keepsBody = keepsBody;
  }

  /** The text that was to be looked for stood in the body (or none was). */
  get hasText(): boolean {
    return this.#text === null || this.#text.hasText;
  }

  /** Takes the next bytes of the connection. */
  take(bytes: Uint8Array): void {
    if (this.state === 'complete' || this.state === 'broken') return;
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.state === 'head' && this.#readHead());
    if (this.state === 'body') this.#readBody();
  }

  /** The server closed the connection: completes an answer that ends that way, breaks any other. */
  end(): void {
    if (this.state === 'body' && this.#framing === 'close') this.state = 'complete';
    else if (this.state === 'head')
      this.#break('the connection was closed before the answer was complete');
    else if (this.state === 'body') this.#break('the connection was closed inside the body');
  }

  /** True when another head may stand in what is pending. */
  #readHead(): boolean {
    const end = this.#pending.indexOf('\r\n\r\n');
    if (end > limits.headBytes || (end < 0 && this.#pending.length > limits.headBytes)) {
      this.#break(`the head of the answer is larger than ${limits.headBytes} bytes`);
      return false;
    }
    if (end < 0) {
      // Known after a few bytes, so that a server of another protocol fails at once, not by time-out.
      const start = this.#pending.toString('latin1', 0, 5);
      if (!'HTTP/'.startsWith(start)) this.#break('the answer does not begin with HTTP/');
      return false;
    }
    const lines = this.#pending.toString('latin1', 0, end).split('\r\n');
    this.#pending = this.#pending.subarray(end + 4);
    const statusLine = /^HTTP\/1\.[01] ([1-9][0-9][0-9])(?: |$)/.exec(lines[0] ?? '');
    if (statusLine === null) {
      this.#break('the status line is not valid');
      return false;
    }
    this.status = Number(statusLine[1]);
    if (this.status < 200) {
      this.#interim++;
      if (this.status === 101)
        this.#break('the server switched to a protocol that was not asked for');
      else if (this.#interim > limits.interimResponses) this.#break('too many interim answers');
      return this.state === 'head';
    }
    this.#frame(lines.slice(1));
    return false;
  }

  #frame(fields: string[]): void {
    let length: number | null = null;
    for (const field of fields) {
      const colon = field.indexOf(':');
      const name = field.slice(0, Math.max(colon, 0)).toLowerCase();
      const value = field.slice(colon + 1).trim();
      if (colon <= 0 || !/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) {
        this.#break('a header line is not valid');
        return;
      }
      if (name === 'transfer-encoding') {
        if (value.toLowerCase() !== 'chunked' || this.#framing === 'chunked') {
          this.#break('only the chunked transfer coding is understood');
          return;
        }
        this.#framing = 'chunked';
      } else if (name === 'content-length') {
        if (!/^[0-9]{1,15}$/.test(value) || (length !== null && length !== Number(value))) {
          this.#break('the length of the answer is not valid');
          return;
        }
        length = Number(value);
      }
    }
    if (length !== null && this.#framing === 'chunked') {
      this.#break('the length of the answer is ambiguous');
      return;
    }
    if (length !== null) this.#framing = 'length';
    this.#remaining = this.#framing === 'chunked' ? -1 : (length ?? 0);
    const isEmpty = this.status === 204 || this.status === 304 || length === 0;
    const wantsBody = this.#text !== null || this.#keepsBody;
    this.state = wantsBody && !isEmpty ? 'body' : 'complete';
  }

  #readBody(): void {
    while (this.state === 'body' && this.#pending.length > 0) {
      if (this.#framing === 'chunked' && this.#remaining < 0) {
        if (!this.#readChunkLine()) return;
        continue;
      }
      const available = this.#pending.length;
      const length = this.#framing === 'close' ? available : Math.min(this.#remaining, available);
      const piece = this.#pending.subarray(0, length);
      this.#pending = this.#pending.subarray(length);
      this.#search(piece);
      if (this.#framing === 'close') continue;
      this.#remaining -= length;
      if (this.#remaining > 0) return;
      if (this.#framing === 'length') this.#complete();
      else this.#remaining = -2;
    }
  }

  /** Reads a chunk's size line (-1), or first the line end behind a chunk (-2). False: more bytes are needed. */
  #readChunkLine(): boolean {
    if (this.#remaining === -2) {
      if (this.#pending.length < 2) return false;
      if (this.#pending[0] !== 13 || this.#pending[1] !== 10) {
        this.#break('a chunk is longer than its size line says');
        return false;
      }
      this.#pending = this.#pending.subarray(2);
      this.#remaining = -1;
    }
    const end = this.#pending.indexOf('\r\n');
    if (end > chunkLineBytesMax || (end < 0 && this.#pending.length > chunkLineBytesMax)) {
      this.#break('a chunk size line is too long');
      return false;
    }
    if (end < 0) return false;
    const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;|$)/.exec(this.#pending.toString('latin1', 0, end));
    if (size === null) {
      this.#break('a chunk size is not valid');
      return false;
    }
    this.#pending = this.#pending.subarray(end + 2);
    this.#remaining = Number.parseInt(size[1] ?? '0', 16);
    // Trailers say nothing about health: the answer is complete with its last chunk.
    if (this.#remaining === 0) this.#complete();
    return this.state === 'body';
  }

  #search(bytes: Buffer): void {
    const room = bodyBytesMax - this.#bodyBytes;
    this.#bodyBytes += bytes.length;
    this.#text?.take(bytes);
    if (this.#keepsBody) this.body = Buffer.concat([this.body, bytes.subarray(0, room)]);
    const isFound = this.hasText && !this.#keepsBody;
    if (isFound || this.#bodyBytes >= bodyBytesMax) this.#complete();
  }

  #complete(): void {
    this.state = 'complete';
    this.#pending = Buffer.alloc(0);
  }

  #break(why: string): void {
    this.state = 'broken';
    this.why = why;
    this.#pending = Buffer.alloc(0);
  }
}
