import { Buffer } from 'node:buffer';
import type { HashKey } from '../model/balancing.ts';

const DIGITS = 10;
const ZEROS = '0'.repeat(DIGITS);

/**
 * Requests of simulated clients: the same bytes but for the request's number, by which its attempts at
 * servers are recognised, and the user's, which stands where the pool's policy looks for its key.
 */
export class RequestText {
  readonly #bytes: Buffer;
  readonly #idAt: number;
  readonly #userAt: number;

  constructor(method: 'GET' | 'POST', { from, name }: HashKey) {
    const path = from === 'path' ? `/${ZEROS}` : '/';
    const query = from === 'query' ? `?${name}=${ZEROS}` : '';
    const lines = [`${method} ${path}${query} HTTP/1.1`, 'Host: simulated'];
    if (from === 'header') lines.push(`${name}: ${ZEROS}`);
    if (from === 'cookie') lines.push(`Cookie: ${name}=${ZEROS}`);
    if (method === 'POST') lines.push('Content-Length: 0');
    const text = `${lines.join('\r\n')}\r\n`;
    // A name may end in zeros too; the user's number is the last of them.
    this.#userAt = text.lastIndexOf(ZEROS);
    this.#idAt = text.length + 'X-Simulated: '.length;
    this.#bytes = Buffer.from(`${text}X-Simulated: ${ZEROS}\r\n\r\n`);
  }

  /** The bytes of request number `id` of a user; valid until the next call. */
  of(id: number, user: number): Uint8Array {
    this.#put(this.#idAt, id);
    if (this.#userAt >= 0) this.#put(this.#userAt, user);
    return this.#bytes;
  }

  #put(at: number, value: number): void {
    let rest = value;
    for (let index = at + DIGITS - 1; index >= at; index--) {
      this.#bytes[index] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}
