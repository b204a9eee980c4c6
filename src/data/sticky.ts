import { claim } from '../balance/choose.ts';
import type { EligibleSet } from '../balance/eligible.ts';
import type { PickRequest } from '../balance/policy.ts';
import { isFailingStatus } from '../health/streak.ts';
import { RequestValue } from '../match/request-value.ts';
import type { Sticky } from '../model/balancing.ts';
import { Verdict } from '../model/shared-memory.ts';
import type { Server } from '../model/snapshot.ts';
import { createSigner, isSameSignature, type Sign } from '../platform/signing.ts';
import { FieldId, type Head } from '../wire/http1/head.ts';
import type { HeadEdits } from '../wire/http1/head-edits.ts';
import { ascii } from '../wire/http1/tokens.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

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
const VALUE_BYTES_MAX = 64;
/** Cookies known to be valid; more distinct ones start the memory anew. */
const KNOWN_MAX = 4_096;
const noDrops: readonly Uint8Array[] = [];

/**
 * Keeps clients at their servers by a cookie that carries everything and is signed, so that nothing
 * is remembered: it outlives restarts, and every balancer with the same secret reads it.
 *
 *   value = mark "." end ("." base 36 seconds since 1970, 0 = none) "." signature
 *   mark = first 16 letters of HMAC(secret, "server" LF address): tells nobody the address
 *   signature = first 22 letters of HMAC(secret, "session" LF cookie name LF mark "." end)
 *
 * Cost: a map read for a cookie that was seen before, else one HMAC.
 */
export class StickyPool {
  readonly #sticky: Sticky;
  readonly #sign: Sign;
  readonly #value: RequestValue;
  readonly #servers = new Map<string, Server>();
  readonly #marks = new Map<number, string>();
  readonly #known = new Map<string, Session>();
  readonly #eligible: EligibleSet;
  readonly #attributes: string;

  constructor(sticky: Sticky, eligible: EligibleSet) {
    this.#sticky = sticky;
    this.#sign = createSigner(sticky.secret);
    this.#value = new RequestValue({ from: 'cookie', name: sticky.cookie });
    this.#eligible = eligible;
    for (const server of eligible.pool.servers) {
      const mark = this.#sign(`server\n${server.address}`).slice(0, MARK_LETTERS);
      this.#servers.set(mark, server);
      this.#marks.set(server.slot, mark);
    }
    const sameSite = sticky.sameSite[0]!.toUpperCase() + sticky.sameSite.slice(1);
    const maxAge = sticky.ttlMs > 0 ? `; Max-Age=${Math.ceil(sticky.ttlMs / 1000)}` : '';
    this.#attributes = `; Path=${sticky.path}${maxAge}; HttpOnly; SameSite=${sameSite}`;
  }

  /** Notes the session of a request, if its cookie is whole, ours and not over. */
  note(plane: Plane, exchange: Exchange, head: Head, isTrusted: boolean): void {
    exchange.session = this.#sessionOf(head, plane.wallClock());
    const { secure } = this.#sticky;
    exchange.isSecure =
      secure === 'always' || (secure === 'auto' && isTrusted && isForwardedHttps(plane, head));
  }

  /**
   * Takes a place on the session's server; its slot, or -1 when it may not be used now. A draining
   * server and one of weight 0 keep their sessions.
   */
  claim(session: Session, request: PickRequest): number {
    const { server } = session;
    return claim(this.#eligible, server, request) ? server.slot : -1;
  }

  /** The answer's edits with the cookie that it has to set, if any. */
  editsFor(
    plane: Plane,
    exchange: Exchange,
    status: number,
    edits: HeadEdits | null,
  ): HeadEdits | null {
    const nowMs = plane.wallClock();
    if (isFailingStatus(status) || !this.#isDue(plane, exchange, nowMs)) return edits;
    const mark = this.#marks.get(exchange.slot);
    if (mark === undefined) return edits;
    const { cookie, ttlMs } = this.#sticky;
    const end = ttlMs === 0 ? '0' : Math.ceil((nowMs + ttlMs) / 1000).toString(36);
    const secure = exchange.isSecure ? '; Secure' : '';
    const value = `${mark}.${end}.${this.#signatureOf(mark, end)}`;
    const line = ascii(`Set-Cookie: ${cookie}=${value}${this.#attributes}${secure}\r\n`);
    if (edits === null) return { drops: noDrops, lines: line, host: null };
    const lines = new Uint8Array(edits.lines.length + line.length);
    lines.set(edits.lines);
    lines.set(line, edits.lines.length);
    return { ...edits, lines };
  }

  #isDue(plane: Plane, exchange: Exchange, nowMs: number): boolean {
    const { session } = exchange;
    if (session === null) return true;
    const verdict = Atomics.load(plane.words.verdict, session.server.slot);
    if (session.server.slot === exchange.slot) {
      // Half of its time is over. A draining server's sessions shall come to their end.
      const isLate = session.endsAtMs - nowMs < this.#sticky.ttlMs / 2;
      return isLate && (verdict & Verdict.DRAINING) === 0;
    }
    // It went elsewhere because its server failed, or only because that was full: then it comes back.
    const isWell = (verdict & ~Verdict.DRAINING) === 0;
    return !isWell || exchange.hasTried(session.server.slot);
  }

  #sessionOf(head: Head, nowMs: number): Session | null {
    const value = this.#value;
    if (!value.find(head) || value.end - value.start > VALUE_BYTES_MAX) return null;
    const { bytes, start, end } = value;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString(
      'latin1',
    );
    const session = this.#known.get(text) ?? this.#verified(text);
    return session !== null && session.endsAtMs > nowMs ? session : null;
  }

  #verified(text: string): Session | null {
    const [mark = '', end = '', signature = '', ...more] = text.split('.');
    const server = this.#servers.get(mark);
    if (server === undefined || more.length > 0 || !/^[0-9a-z]{1,9}$/.test(end)) return null;
    if (!isSameSignature(signature, this.#signatureOf(mark, end))) return null;
    const endsAtMs = end === '0' ? Number.POSITIVE_INFINITY : Number.parseInt(end, 36) * 1000;
    const session = { server, endsAtMs };
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(text, session);
    return session;
  }

  #signatureOf(mark: string, end: string): string {
    const text = `session\n${this.#sticky.cookie}\n${mark}.${end}`;
    return this.#sign(text).slice(0, SIGNATURE_LETTERS);
  }
}

/** A trusted peer says that the client came by https. */
function isForwardedHttps(plane: Plane, head: Head): boolean {
  if (((head.seen >>> FieldId.X_FORWARDED_PROTO) & 1) === 0) return false;
  const at = head.last[FieldId.X_FORWARDED_PROTO]! * 4;
  const [start, end] = [head.fields[at + 2]!, head.fields[at + 3]!];
  const bytes = head.bytes === plane.buffers.bytes ? plane.text : Buffer.from(head.bytes);
  return bytes.toString('latin1', start, end).toLowerCase() === 'https';
}
