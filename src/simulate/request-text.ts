import { Buffer } from 'node:buffer';

const DIGITS = 10;

/**
 * Requests of simulated clients: the same bytes but for the request's number, by which its attempts at
 * servers are recognised.
 */
export class RequestText {
  readonly #bytes: Buffer;
  readonly #at: number;

  constructor(method: 'GET' | 'POST') {
    const length = method === 'POST' ? 'Content-Length: 0\r\n' : '';
    const head = `${method} / HTTP/1.1\r\nHost: simulated\r\n${length}X-Simulated: `;
    this.#bytes = Buffer.from(`${head}${'0'.repeat(DIGITS)}\r\n\r\n`);
    this.#at = head.length;
  }

  /** The bytes of request number `id`; valid until the next call. */
  of(id: number): Uint8Array {
    let rest = id;
    for (let index = this.#at + DIGITS - 1; index >= this.#at; index--) {
      this.#bytes[index] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    return this.#bytes;
  }
}
