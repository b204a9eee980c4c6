// Rule zero: a little longer than 400 lines, because an exchange and the two sides that it talks to are read together.

import type { Session } from '../balance/session-cookie.ts';
import type { FailureCode } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import type { BufferPool, Driver, Link } from '../platform/driver.ts';
import type { Head } from '../wire/http1/head.ts';
import type { Answer } from './answers.ts';
import { FailoverState } from './failover-state.ts';
import type { Hooked } from './hooked.ts';
import { LogNote } from './log-note.ts';
import type { RoutePlan } from './route-plan.ts';
import type { ServerState } from './server-state.ts';
import type { CompiledPool, CompiledRoute, ListenerTable } from './table.ts';
import type { Trace } from './trace.ts';

/** Where an exchange is. The machine and where each failure goes are drawn in ARCHITECTURE.md. */
export const Stage = {
  /** In the free list. */
  FREE: 0,
  /** Its request head is known; no server holds it. */
  CHOOSING: 1,
  /** A server is chosen; its link is being dialled or has the request and has answered nothing final. */
  WAITING: 2,
  /** The final answer's head went to the client. */
  ANSWERING: 3,
  /** Both links became a tunnel. */
  TUNNEL: 4,
  /** No server holds it: the next try waits for a pause or a place. */
  PAUSED: 5,
  /** A hook has yet to decide on the request; its head is a copy, its body waits with the link. */
  SUSPENDED: 6,
} as const;

/** Half an hour: the clock in µs wraps after 35 minutes. */
const WRAP_SAFE_MS = 1_800_000;
/** Room that an exchange keeps for the parts of its next request. */
const SEGMENT_WORDS_KEPT = 24;
/** Parts up to this are copied together: a copy costs less than a buffer that is almost empty. */
const SMALL_BYTES = 1_024;
/** Parts kept of a request that its server is already getting; above, it is sent and not kept. */
const SEGMENTS_MAX = 256;

/** Takes spans of buffers in order. Each span brings a reference that the sink takes over. */
export interface SpanSink {
  span(id: number, offset: number, length: number): void;
  /** A few bytes of our own (chunk lines, last chunks), copied. */
  copy(bytes: Uint8Array, start: number, end: number): void;
}

/** A raw link that leaves its side of an exchange for a tunnel. */
export interface Surrendered {
  readonly link: Link;
  /** Bytes that came behind the request: `id, offset, length` triples. */
  readonly pending: readonly number[];
  /** The client has sent its FIN. */
  readonly hasEnded: boolean;
}

/**
 * The client's half of an exchange, whatever version of HTTP it speaks: takes the answer, gives the
 * request's body. Implemented by `ClientLink` for HTTP/1.
 */
export interface ClientSide extends SpanSink {
  /** Our name for the peer: numeric address. */
  readonly address: string;
  /** Answer bytes that wait for this client. */
  readonly waitingBytes: number;
  /** Sends a 1xx head (never to HTTP/1.0 clients). */
  interim(exchange: Exchange, head: Head): void;
  /**
   * Sends the final head, taken from buffer `id` where its body begins at `bodyAt` (`id` -1: the head
   * arrived in pieces and stands elsewhere); bytes from `floor` on may be overwritten. Returns the
   * `Framing` in which the body must be given.
   */
  answer(exchange: Exchange, head: Head, id: number, floor: number, bodyAt: number): number;
  /** What was written so far leaves now. */
  flush(): void;
  /** Sends what waits and notes the answer's bytes in the exchange. */
  tally(exchange: Exchange): void;
  /** The answer is complete: the client may go on with its next request. */
  finish(exchange: Exchange): void;
  /** The answer cannot be completed: makes sure that it never looks complete. */
  abortAnswer(exchange: Exchange): void;
  /** This answer of our own instead of a server's. */
  answerHere(exchange: Exchange, answer: Answer): void;
  /** The answer that a failure has. */
  answerFailure(exchange: Exchange, code: FailureCode): void;
  /** Holds back or lets go the request's body. */
  setBodyPaused(isPaused: boolean): void;
  /** Gives the raw link away for a tunnel, with the bytes that came behind the request (`id, offset, length` triples). */
  surrender(): Surrendered;
  /** The tunnel that the surrendered link is in, and its server. */
  carriedBy(tunnel: Carrier, slot: number): void;
  /** The surrendered link has ended. */
  forget(): void;
}

/** A tunnel as the client's link sees it. */
export interface Carrier {
  readonly isOver: boolean;
  end(code: FailureCode): void;
}

/** The server's half: one request on one upstream link. Implemented by `ServerLink` for HTTP/1. */
export interface ServerSide extends SpanSink {
  /** False until the dialled link is connected. */
  readonly isConnected: boolean;
  /** Request bytes that wait for this server. */
  readonly waitingBytes: number;
  /** Whether the link had served an exchange before this one. */
  readonly isReused: boolean;
  /** Some byte of an answer has come, if only of an interim one. */
  readonly hasAnswerByte: boolean;
  /** Takes the exchange: its request's parts follow through `span`. */
  begin(exchange: Exchange): void;
  setAnswerPaused(isPaused: boolean): void;
  /** Ends the link; nothing of this exchange comes back. */
  cancel(): void;
  /** The exchange is over: keeps the link for reuse when that is safe, else closes it. */
  letGo(): void;
  /** Closes an idle link in order. */
  retire(): void;
  /** Gives the raw link away for a tunnel. */
  surrender(): Link;
}

/** One request with its response. Reused through a free list; `begin` sets every field anew. */
export class Exchange implements SpanSink {
  stage: number = Stage.FREE;
  client: ClientSide | null = null;
  server: ServerSide | null = null;
  listener: ListenerTable | null = null;
  route: CompiledRoute | null = null;
  pool: CompiledPool | null = null;
  /** What its route's actions left to do; null for most. */
  plan: RoutePlan | null = null;
  /** Bits of `Act`: what was done besides. */
  acts = 0;
  /** A copy for a mirror: no client sees its answer. */
  isMirror = false;
  /** Reserved server slot, -1 when none is. */
  slot = -1;
  /** Server that the exchange ended with or was last tried on, -1 when none was. */
  lastSlot = -1;
  /** State of the server of `lastSlot`. */
  serverState: ServerState | null = null;

  method = 0;
  minor = 1;
  isIdempotent = false;
  wantsUpgrade = false;
  /** The client's `Upgrade` value in lower case; read only while `wantsUpgrade`. */
  upgradeOffer = '';
  clientCloses = false;
  /** The request's last byte has come in. */
  isRequestComplete = false;
  /** `Expect: 100-continue` was sent by the client and no 100 went back yet. */
  awaitsContinue = false;

  tried: Int32Array = new Int32Array(8);
  triedCount = 0;
  attempts = 0;
  retries = 0;
  needsFreshLink = false;
  /** Server whose reused link died, among `tried`: tried again when no other is left. */
  staleSlot = -1;
  hadStaleLink = false;
  interims = 0;

  /** Status sent to the client, 0 while none was. */
  status = 0;
  failure: FailureCode | null = null;
  /** The client got a whole answer of our own. */
  isAnsweredHere = false;
  requestBytes = 0;
  answerBytes = 0;
  startedAtMs = 0;
  /** Wrapped µs, see `Driver.nowUs`; durations are -1 where a phase was not reached. */
  startedAtUs = 0;
  attemptAtUs = 0;
  connectUs = -1;
  firstByteUs = -1;
  /** The client's address as it counts: the peer's, or a trusted peer's word. */
  clientAddress = '';
  addressHash = 0;
  keyHash = 0;
  /** What its cookie says, in a sticky pool; null when it says nothing (any more). */
  session: Session | null = null;
  /** Its client came by https as far as cookies are concerned. */
  isSecure = false;
  /** Number of its request id, -1 while it has none. */
  requestNumber = -1;
  /** What the access log will say of its request; kept up only while there is one. */
  readonly note: LogNote = new LogNote();
  readonly failover: FailoverState = new FailoverState();
  /** Its spans, from the writing of its head to its end; null for all that are not sampled. */
  trace: Trace | null = null;
  /** What goes with it where its route has hooks; null for most, and then nothing is looked at. */
  hooked: Hooked | null = null;

  /** The request as it goes to servers: `id, offset, length` triples, each with one reference of ours. */
  readonly segments: number[] = [];
  /** Words of `segments` in use; the array itself keeps its room. */
  segmentWords = 0;
  /** Triples that the present server has been given. */
  sentSegments = 0;
  segmentBytes = 0;
  /** False once a part of the request could not be kept. */
  isReplayable = true;
  /** A part of the request found no buffer: it cannot be sent. */
  isBroken = false;
  /** Stands for `segments` while buffers are scarce. */
  spilled: Uint8Array | null = null;

  /** The buffer that takes small parts, -1 while there is none; held by the segments that lie in it. */
  #gatherId = -1;
  #gatheredEnd = 0;
  #gatherRoomEnd = 0;
  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  begin(client: ClientSide | null, listener: ListenerTable, driver: Driver): void {
    this.stage = Stage.CHOOSING;
    this.client = client;
    this.listener = listener;
    this.route = null;
    this.pool = null;
    this.plan = null;
    this.acts = 0;
    this.isMirror = false;
    this.hooked = null;
    this.server = null;
    this.slot = -1;
    this.lastSlot = -1;
    this.serverState = null;
    this.wantsUpgrade = false;
    this.clientCloses = false;
    this.isRequestComplete = false;
    this.awaitsContinue = false;
    this.triedCount = 0;
    this.attempts = 0;
    this.retries = 0;
    this.needsFreshLink = false;
    this.staleSlot = -1;
    this.hadStaleLink = false;
    this.interims = 0;
    this.status = 0;
    this.failure = null;
    this.isAnsweredHere = false;
    this.requestBytes = 0;
    this.answerBytes = 0;
    this.startedAtMs = driver.now();
    this.startedAtUs = driver.nowUs();
    this.attemptAtUs = this.startedAtUs;
    this.connectUs = -1;
    this.firstByteUs = -1;
    this.isReplayable = true;
    this.isBroken = false;
    this.sentSegments = 0;
    this.segmentBytes = 0;
    this.requestNumber = -1;
    this.session = null;
    this.failover.begin();
  }

  /** A raw link of a tcp listener, which ends in the same books. */
  beginTunnel(listener: ListenerTable, driver: Driver): void {
    this.begin(null, listener, driver);
    this.stage = Stage.TUNNEL;
  }

  /** One more part of the request: kept for a replay as long as that is allowed, and sent on. */
  span(id: number, offset: number, length: number): void {
    this.requestBytes += length;
    if (!this.isReplayable) {
      this.#pass(id, offset, length);
      return;
    }
    this.segmentBytes += length;
    const segments = this.segments;
    const last = this.segmentWords - 3;
    const isAdjacent =
      last >= this.sentSegments * 3 &&
      segments[last] === id &&
      segments[last + 1]! + segments[last + 2]! === offset;
    if (isAdjacent) {
      segments[last + 2]! += length;
      this.#pool.release(id);
    } else if (length > SMALL_BYTES || last < 0 || !this.#gather(id, offset, length)) {
      this.#note(id, offset, length);
    }
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    this.requestBytes += end - start;
    if (!this.isReplayable) {
      this.server?.copy(bytes, start, end);
      return;
    }
    const id = this.#pool.acquire();
    if (id < 0) {
      this.flush();
      this.dropReplay();
      if (this.server === null) this.isBroken = true;
      else this.server.copy(bytes, start, end);
      return;
    }
    const at = this.#pool.startOf(id);
    this.#pool.bytes.set(bytes.subarray(start, end), at);
    this.#note(id, at, end - start);
    this.segmentBytes += end - start;
  }

  /** Gives the present server what it has not been given; keeps what may have to be repeated. */
  flush(): void {
    const server = this.server;
    if (server === null) return;
    const segments = this.segments;
    for (let i = this.sentSegments * 3; i < this.segmentWords; i += 3) {
      this.#pool.retain(segments[i]!);
      server.span(segments[i]!, segments[i + 1]!, segments[i + 2]!);
    }
    this.sentSegments = this.segmentWords / 3;
    // While no server is connected nothing was submitted, and dropping would lose what can be saved.
    const isTooMuch =
      this.segmentBytes > limits.replayBytes || this.segmentWords > SEGMENTS_MAX * 3;
    if (isTooMuch && server.isConnected) this.dropReplay();
    else if (this.#pool.isScarce && this.isRequestComplete) this.#spill();
  }

  /** Sends the kept request to a new server from its beginning. */
  replay(): void {
    this.sentSegments = 0;
    if (this.spilled !== null) this.server?.copy(this.spilled, 0, this.spilled.length);
    else this.flush();
  }

  /** Gives the kept request up: it can no longer be repeated. */
  dropReplay(): void {
    this.isReplayable = false;
    this.releaseSegments();
  }

  /** Puts `to` where the kept request has `from`, which is as long; nothing where a buffer ends within it. */
  replaceKept(from: Uint8Array, to: Uint8Array): void {
    if (this.spilled !== null) replaceBytes(this.spilled, from, to);
    for (let i = 0; i < this.segmentWords; i += 3) {
      const at = this.segments[i + 1]!;
      const part = this.#pool.bytes.subarray(at, at + this.segments[i + 2]!);
      if (replaceBytes(part, from, to)) return;
    }
  }

  releaseSegments(): void {
    const segments = this.segments;
    for (let i = 0; i < this.segmentWords; i += 3) this.#pool.release(segments[i]!);
    this.segmentWords = 0;
    this.#gatherId = -1;
    if (segments.length > SEGMENT_WORDS_KEPT) segments.length = SEGMENT_WORDS_KEPT;
    this.sentSegments = 0;
    this.segmentBytes = 0;
    this.spilled = null;
  }

  addTried(slot: number): void {
    if (this.triedCount === this.tried.length) {
      const wider = new Int32Array(this.tried.length * 2);
      wider.set(this.tried);
      this.tried = wider;
    }
    this.tried[this.triedCount++] = slot;
  }

  /** Time since the request's start, 0 … 2^31-1 µs. */
  totalUs(driver: Driver): number {
    const ms = driver.now() - this.startedAtMs;
    // Tunnels may outlive the wrapped clock.
    if (ms > WRAP_SAFE_MS) return Math.min(ms * 1000, 0x7fffffff);
    const us = (driver.nowUs() - this.startedAtUs) | 0;
    return Math.max(us, 0);
  }

  hasTried(slot: number): boolean {
    const index = this.tried.indexOf(slot);
    return index >= 0 && index < this.triedCount;
  }

  removeTried(slot: number): void {
    const index = this.tried.indexOf(slot);
    if (index < 0 || index >= this.triedCount) return;
    this.tried[index] = this.tried[--this.triedCount]!;
  }

  #note(id: number, offset: number, length: number): void {
    const at = this.segmentWords;
    this.segments[at] = id;
    this.segments[at + 1] = offset;
    this.segments[at + 2] = length;
    this.segmentWords = at + 3;
  }

  /**
   * Copies a small part behind others: a buffer for each would let one sender of single bytes hold them all.
   * False when no buffer is left.
   */
  #gather(id: number, offset: number, length: number): boolean {
    const pool = this.#pool;
    const last = this.segmentWords - 3;
    let at = this.#gatheredEnd;
    const hasRoom = this.#gatherId >= 0 && at + length <= this.#gatherRoomEnd;
    if (!hasRoom) {
      const fresh = pool.acquire();
      if (fresh < 0) return false;
      this.#gatherId = fresh;
      at = pool.startOf(fresh);
      this.#gatherRoomEnd = at + pool.headroomBytes + pool.sizeBytes;
    }
    pool.bytes.copyWithin(at, offset, offset + length);
    pool.release(id);
    this.#gatheredEnd = at + length;
    const isUnsent = last >= this.sentSegments * 3;
    if (hasRoom && isUnsent && this.segments[last] === this.#gatherId) {
      this.segments[last + 2]! += length;
      return true;
    }
    if (hasRoom) pool.retain(this.#gatherId);
    this.#note(this.#gatherId, at, length);
    return true;
  }

  #pass(id: number, offset: number, length: number): void {
    if (this.server === null) this.#pool.release(id);
    else this.server.span(id, offset, length);
  }

  /** Buffers are scarce: the kept request moves to a heap copy of its exact size. */
  #spill(): void {
    const copy = new Uint8Array(this.segmentBytes);
    let at = 0;
    for (let i = 0; i < this.segmentWords; i += 3) {
      const from = this.segments[i + 1]!;
      copy.set(this.#pool.bytes.subarray(from, from + this.segments[i + 2]!), at);
      at += this.segments[i + 2]!;
    }
    this.releaseSegments();
    this.spilled = copy;
  }
}

function replaceBytes(bytes: Uint8Array, from: Uint8Array, to: Uint8Array): boolean {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(from);
  if (at >= 0) bytes.set(to, at);
  return at >= 0;
}
