import { SessionCookies, sessionBytesMax } from '../../balance/session-cookie.ts';
import { durationText } from '../../base/duration-text.ts';
import { RequestValue } from '../../match/request-value.ts';
import { textOf } from '../../match/value-text.ts';
import { Verdict } from '../../model/shared-memory.ts';
import type { Pool, Server } from '../../model/snapshot.ts';
import type { Head } from '../../wire/http1/head.ts';

/** What the cookie of a request says in a pool with sticky sessions. */
export interface ExplainedSession {
  readonly says: string;
  /** The server that it goes to whatever the policy says; null when the policy chooses. */
  readonly server: Server | null;
}

/** The words that decide whether a session's server can have its requests. */
interface SessionWords {
  readonly verdict: Int32Array;
  readonly inFlight: Int32Array;
  readonly pending: Int32Array;
}

/** Tells what the session cookie of a request does; null where the pool has no sessions. */
export function explainSession(
  pool: Pool,
  head: Head,
  words: SessionWords,
  wallMs: number,
): ExplainedSession | null {
  const { sticky } = pool.balancing;
  if (sticky === null) return null;
  const { cookie, secret } = sticky;
  const policy = (why: string): ExplainedSession => ({ says: why, server: null });
  const value = new RequestValue({ from: 'cookie', name: cookie });
  if (!value.find(head)) {
    return policy(
      `no cookie ${cookie}: the policy chooses, and the answer sets the cookie that leads back`,
    );
  }
  if (secret === '') {
    return policy(
      `it has a cookie ${cookie}; only a running balancer knows the key that proves it`,
    );
  }
  const isLong = value.end - value.start > sessionBytesMax;
  const text = isLong ? '' : textOf(value.bytes, value.start, value.end);
  const session = new SessionCookies(sticky, pool.servers).sessionOf(text);
  if (session === null) {
    return policy(
      `its cookie ${cookie} is not one of ours, or of a server that left: it is ignored, the policy chooses, and the answer sets a new one`,
    );
  }
  const { server, endsAtMs } = session;
  const { address } = server;
  if (endsAtMs <= wallMs) {
    return policy(
      `its cookie ${cookie} led to ${address} and ended ${durationText(wallMs - endsAtMs)} ago: the policy chooses anew`,
    );
  }
  const away = awayText(server, words);
  if (away !== null) {
    return policy(`its cookie ${cookie} leads to ${address}, which ${away}`);
  }
  const isDraining = (Atomics.load(words.verdict, server.slot) & Verdict.DRAINING) !== 0;
  const keeps = isDraining ? ', which keeps its sessions while it drains' : '';
  return { says: `its cookie ${cookie} leads to ${address}${keeps}`, server };
}

/** Why a session's server cannot have a request of it now; null when it can. */
function awayText(server: Server, words: SessionWords): string | null {
  const { slot, target, connectionsMax, pendingMax = 0 } = server;
  const verdict = Atomics.load(words.verdict, slot) & ~Verdict.DRAINING;
  if (verdict !== 0 || target === null) {
    return 'is not well: the policy chooses another one, and the answer sets a cookie for that';
  }
  const isFull =
    (connectionsMax > 0 && Atomics.load(words.inFlight, slot) >= connectionsMax) ||
    (pendingMax > 0 && Atomics.load(words.pending, slot) >= pendingMax);
  return isFull
    ? 'is full: the policy chooses another one for this request, the session stays'
    : null;
}
