import type { Sticky } from '../model/balancing.ts';
import type { Server } from '../model/snapshot.ts';
import { createSigner, isSameSignature, type Sign } from '../platform/signing.ts';

/** What a valid cookie says. */
export interface Session {
  readonly server: Server;
  /** Ms since 1970; Infinity for a session without an end. */
  readonly endsAtMs: number;
}

/** Letters of a server's mark and of a signature: 96 and 132 bits. */
const MARK_LETTERS = 16;
const SIGNATURE_LETTERS = 22;

/** Longer values are none of ours: mark, two dots, time in base 36, signature. */
export const sessionBytesMax = 64;

/**
 * Writes and reads the values of session cookies, which are signed, so that nothing is remembered.
 *
 *   value = mark "." end ("." base 36 seconds since 1970, 0 = none) "." signature
 *   mark = first 16 letters of HMAC(secret, "server" LF address): tells nobody the address
 *   signature = first 22 letters of HMAC(secret, "session" LF cookie name LF mark "." end)
 *
 * Cost: one HMAC per value.
 */
export class SessionCookies {
  readonly #cookie: string;
  readonly #sign: Sign;
  readonly #servers = new Map<string, Server>();
  readonly #marks = new Map<number, string>();

  constructor({ cookie, secret }: Sticky, servers: readonly Server[]) {
    this.#cookie = cookie;
    this.#sign = createSigner(secret);
    for (const server of servers) {
      const mark = this.#sign(`server\n${server.address}`).slice(0, MARK_LETTERS);
      this.#servers.set(mark, server);
      this.#marks.set(server.slot, mark);
    }
  }

  /** The session of a value, whether or not it is over; null for what is not ours or names no server of the pool. */
  sessionOf(text: string): Session | null {
    const [mark = '', end = '', signature = '', ...more] = text.split('.');
    const server = this.#servers.get(mark);
    if (server === undefined || more.length > 0 || !/^[0-9a-z]{1,9}$/.test(end)) return null;
    if (!isSameSignature(signature, this.#signatureOf(mark, end))) return null;
    const endsAtMs = end === '0' ? Number.POSITIVE_INFINITY : Number.parseInt(end, 36) * 1000;
    return { server, endsAtMs };
  }

  /** The value that leads to a server until `endsAtMs`; null for a slot that is not in the pool. */
  valueFor(slot: number, endsAtMs: number): string | null {
    const mark = this.#marks.get(slot);
    if (mark === undefined) return null;
    const isEndless = endsAtMs === Number.POSITIVE_INFINITY;
    const end = isEndless ? '0' : Math.ceil(endsAtMs / 1000).toString(36);
    return `${mark}.${end}.${this.#signatureOf(mark, end)}`;
  }

  #signatureOf(mark: string, end: string): string {
    return this.#sign(`session\n${this.#cookie}\n${mark}.${end}`).slice(0, SIGNATURE_LETTERS);
  }
}
