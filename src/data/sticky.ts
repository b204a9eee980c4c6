import { claim } from '../balance/choose.ts';
import type { EligibleSet } from '../balance/eligible.ts';
import type { PickRequest } from '../balance/policy.ts';
import { type Session, SessionCookies, sessionBytesMax } from '../balance/session-cookie.ts';
import { isFailingStatus } from '../health/streak.ts';
import { RequestValue } from '../match/request-value.ts';
import type { Sticky } from '../model/balancing.ts';
import { Verdict } from '../model/shared-memory.ts';
import { FieldId, type Head } from '../wire/http1/head.ts';
import type { HeadEdits } from '../wire/http1/head-edits.ts';
import { ascii } from '../wire/http1/tokens.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/** Cookies known to be valid; more distinct ones start the memory anew. */
const KNOWN_MAX = 4_096;
const noDrops: readonly Uint8Array[] = [];

/**
 * Keeps clients at their servers by a cookie that carries everything and is signed, so that nothing
 * is remembered: it outlives restarts, and every balancer with the same secret reads it.
 *
 * Cost: a map read for a cookie that was seen before, else one HMAC.
 */
export class StickyPool {
  readonly #sticky: Sticky;
  readonly #cookies: SessionCookies;
  readonly #value: RequestValue;
  readonly #known = new Map<string, Session>();
  readonly #eligible: EligibleSet;
  readonly #attributes: string;

  constructor(sticky: Sticky, eligible: EligibleSet) {
    this.#sticky = sticky;
    this.#cookies = new SessionCookies(sticky, eligible.pool.servers);
    this.#value = new RequestValue({ from: 'cookie', name: sticky.cookie });
    this.#eligible = eligible;
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
    const { cookie, ttlMs } = this.#sticky;
    const endsAtMs = ttlMs === 0 ? Number.POSITIVE_INFINITY : nowMs + ttlMs;
    const value = this.#cookies.valueFor(exchange.slot, endsAtMs);
    if (value === null) return edits;
    const secure = exchange.isSecure ? '; Secure' : '';
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
    if (!value.find(head) || value.end - value.start > sessionBytesMax) return null;
    const { bytes, start, end } = value;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString(
      'latin1',
    );
    const session = this.#known.get(text) ?? this.#verified(text);
    return session !== null && session.endsAtMs > nowMs ? session : null;
  }

  #verified(text: string): Session | null {
    const session = this.#cookies.sessionOf(text);
    if (session === null) return null;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(text, session);
    return session;
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
