// Rule zero: longer than 400 lines, because it is one state machine whose phases share all of its fields.
import { bucketOf } from '../base/histogram.ts';
import { invariant } from '../base/invariant.ts';
import { TimerEntry } from '../base/timing-wheel.ts';
import { keptMs, noteIdleClose } from '../limit/idle-limit.ts';
import { type FailureCode, isClosing } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import type { Pool } from '../model/snapshot.ts';
import { ServerColumn } from '../observe/columns.ts';
import type { Link, LinkHandler } from '../platform/driver.ts';
import { Framing, type Head, INCOMPLETE, REFUSED } from '../wire/http1/head.ts';
import { parseResponseHead } from '../wire/http1/response-parser.ts';
import { isOffered } from './admit.ts';
import { BodyRelay } from './body-relay.ts';
import { closeLink } from './close-link.ts';
import { dialFailure } from './dial-failure.ts';
import { fieldsToKeep } from './error-pages.ts';
import type { ClientSide, Exchange, ServerSide } from './exchange.ts';
import { HeldAnswer } from './held-answer.ts';
import { type HookOutcome, SUSPENDED } from './hook-runner.ts';
import { type Hooked, ResponseFacade } from './hooked.ts';
import { noteLoadHeader } from './load-header.ts';
import { PartialHead } from './partial-head.ts';
import type { Plane } from './plane.ts';
import { sendSparing } from './send-sparing.ts';
import type { ServerState } from './server-state.ts';

/** A server that closes many idle links at once is asked for one age only. */
const CLOSES_APART_MS = 100;

/** What an upstream link is doing. */
const Phase = {
  DIALLING: 0,
  AWAITING_HEAD: 1,
  BODY: 2,
  IDLE: 3,
  GONE: 4,
  DISCARD: 5,
  HELD: 6,
} as const;

/**
 * One HTTP/1.1 link to a server: sends one request at a time and reads its answer.
 *
 *   DIALLING ──connected──▶ AWAITING_HEAD ──final head──▶ BODY ──last byte──▶ IDLE ──next request──▶ AWAITING_HEAD
 *      └── refused, timed out ──┴── died, invalid, late ──┴── cut, stalled ──┴── closed, spoke unasked ──▶ GONE
 *
 * An answer that is to be tried again elsewhere is read in DISCARD instead of BODY, for nobody. Before BODY it is
 * HELD while hooks have not decided on it: the link is paused, and what comes all the same waits.
 */
export class ServerLink implements ServerSide, LinkHandler {
  isReused = false;
  readonly #plane: Plane;
  readonly #server: ServerState;
  readonly #pool: Pool;
  readonly #link: Link;
  readonly #timer: TimerEntry;
  /** When the timer fires, -1 while it is not set: known without touching it, once per exchange. */
  #alarmMs = -1;
  readonly #relay: BodyRelay;
  readonly #openedAtMs: number;
  #phase: number = Phase.DIALLING;
  #exchange: Exchange | null = null;
  #partial: PartialHead | null = null;
  #exchanges = 0;
  /** Server's own idle limit in ms by its last hint, -1 while unknown. */
  #hintMs = -1;
  #mayBeReused = true;
  #isPaused = false;
  #sawByte = false;
  #discardedBytes = 0;
  /** How long it had been idle when its present exchange began. */
  #idledMs = 0;
  #held: HeldAnswer | null = null;
  /** When the present phase began to wait (driver ms). */
  #waitsSinceMs: number;
  readonly #dialledAtUs: number;

  constructor(plane: Plane, server: ServerState, pool: Pool) {
    this.#plane = plane;
    this.#server = server;
    this.#pool = pool;
    const now = plane.driver.now();
    this.#openedAtMs = now;
    this.#dialledAtUs = plane.driver.nowUs();
    this.#waitsSinceMs = now;
    this.#timer = new TimerEntry((nowMs) => this.#onTimer(nowMs));
    this.#relay = new BodyRelay(plane.buffers);
    invariant(server.target !== null, 'only a resolved server is dialled');
    this.#link = plane.driver.dial(server.target, this);
    this.#wakeAt(now + pool.timeouts.connectMs);
  }

  get isConnected(): boolean {
    return this.#link.isConnected;
  }

  get hasAnswerByte(): boolean {
    return this.#sawByte;
  }

  get waitingBytes(): number {
    return this.#link.queuedBytes;
  }

  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#sawByte = false;
    this.#mayBeReused = true;
    const now = this.#plane.driver.now();
    this.#idledMs = now - this.#waitsSinceMs;
    this.#waitsSinceMs = now;
    if (this.#phase === Phase.IDLE) {
      this.#phase = Phase.AWAITING_HEAD;
      this.isReused = true;
    }
  }

  span(id: number, offset: number, length: number): void {
    this.#plane.cells[this.#server.counters + ServerColumn.BYTES_OUT]! += length;
    sendSparing(this.#plane.buffers, this.#link, id, offset, length);
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    this.#plane.cells[this.#server.counters + ServerColumn.BYTES_OUT]! += end - start;
    if (!this.#link.sendCopy(bytes, start, end)) this.#link.abort();
  }

  setAnswerPaused(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#link.pause();
    else {
      this.#waitsSinceMs = this.#plane.driver.now();
      this.#link.resume();
    }
  }

  cancel(): void {
    this.#exchange = null;
    this.#gone();
    this.#link.abort();
  }

  letGo(): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (this.#isPaused) this.setAnswerPaused(false);
    this.#keepOrClose(exchange?.isRequestComplete === true);
  }

  /** The exchange is over: the link waits for the next one when that is safe. */
  #keepOrClose(isRequestComplete: boolean): void {
    const now = this.#plane.driver.now();
    this.#exchanges++;
    const reuse = this.#pool.reuse;
    const idleMs = this.#idleMs();
    const isReusable =
      this.#mayBeReused &&
      isRequestComplete &&
      this.#link.queuedBytes === 0 &&
      this.#link.isOpen &&
      !this.#plane.isDraining &&
      idleMs > 0 &&
      this.#exchanges < reuse.requestsMax &&
      now - this.#openedAtMs < reuse.ageMs &&
      this.#server.idle.length < reuse.perWorkerMax &&
      !this.#server.isRetired;
    if (!isReusable) {
      this.#gone();
      this.#closeInOrder();
      return;
    }
    this.#phase = Phase.IDLE;
    this.#waitsSinceMs = now;
    this.#server.idle.push(this);
    const dueMs = now + idleMs;
    if (this.#alarmMs < 0 || dueMs < this.#alarmMs) this.#wakeAt(dueMs);
  }

  retire(): void {
    this.#gone();
    this.#closeInOrder();
  }

  surrender(): Link {
    this.#exchange = null;
    this.#gone();
    return this.#link;
  }

  onConnected(): void {
    const plane = this.#plane;
    const now = plane.driver.now();
    const exchange = this.#exchange;
    const connectUs = (plane.driver.nowUs() - this.#dialledAtUs) & 0x7fffffff;
    plane.cells[this.#server.counters + ServerColumn.CONNECTS]! += 1;
    plane.histogramCells[this.#server.connectHistogram + bucketOf(connectUs)]! += 1;
    this.#phase = Phase.AWAITING_HEAD;
    this.#waitsSinceMs = now;
    if (exchange === null) return;
    exchange.connectUs = connectUs;
    exchange.trace?.connected(exchange.server === this, connectUs);
    this.#armAnswerTimer(now);
    // What was held back while nothing was connected is less than a queue: no `onDrain` would let it go on.
    exchange.client?.setBodyPaused(false);
  }

  onReceive(_link: Link, id: number, offset: number, length: number): void {
    const plane = this.#plane;
    plane.cells[this.#server.counters + ServerColumn.BYTES_IN]! += length;
    const exchange = this.#exchange;
    if (exchange === null) {
      if (this.#phase === Phase.DISCARD) {
        this.#discard(id, offset, offset + length);
        plane.buffers.release(id);
        return;
      }
      // A byte without an open request is no answer (RFC 9112 §9.2): such a link is never used again.
      plane.buffers.release(id);
      if (this.#phase === Phase.IDLE) this.#leaveIdle();
      this.#gone();
      this.#link.abort();
      return;
    }
    const end = offset + length;
    if (this.#phase === Phase.BODY) this.#body(exchange, id, offset, end);
    else if (this.#held !== null) {
      this.#held.pending.append(id, offset, length);
      return;
    } else this.#head(exchange, id, offset, end);
    plane.buffers.release(id);
  }

  onEnd(): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      if (this.#phase === Phase.IDLE) {
        this.#plane.cells[this.#server.counters + ServerColumn.IDLE_CLOSED_BY_PEER]! += 1;
        this.#leaveIdle();
        this.#closedAfter(this.#plane.driver.now() - this.#waitsSinceMs);
      }
      this.#gone();
      this.#link.close();
      return;
    }
    if (this.#held !== null) {
      this.#held.hasEnded = true;
      return;
    }
    if (this.#phase === Phase.BODY && exchange.client !== null) {
      this.#mayBeReused = false;
      if (this.#relay.linkEnded(exchange.client)) {
        exchange.client.flush();
        this.#plane.conductor.finished(exchange);
      } else this.#fail('upstream-body-cut');
      return;
    }
    this.#fail(this.#sawByte ? 'upstream-response-invalid' : 'upstream-closed-before-headers');
  }

  onDrain(): void {
    this.#exchange?.client?.setBodyPaused(false);
  }

  onClosed(_link: Link, errno: number): void {
    const exchange = this.#exchange;
    const phase = this.#phase;
    if (phase === Phase.IDLE) this.#leaveIdle();
    if (exchange === null || phase === Phase.GONE) {
      this.#gone();
      return;
    }
    if (this.#held !== null) this.#held.closedErrno = errno;
    else if (phase === Phase.DIALLING) this.#fail(dialFailure(errno));
    else if (phase === Phase.BODY) this.#fail('upstream-body-cut');
    else if (this.#sawByte) this.#fail('upstream-response-invalid');
    else if (errno === 0) this.#fail('upstream-closed-before-headers');
    else this.#fail('upstream-reset-before-headers');
  }

  #head(exchange: Exchange, id: number, from: number, end: number): void {
    const plane = this.#plane;
    const limitsOfHead = exchange.listener!.table.headLimits;
    const head = plane.responseHead;
    this.#sawByte = true;
    let at = from;
    // Interim answers and the final one may stand in one buffer.
    while (at < end && this.#exchange === exchange && this.#phase === Phase.AWAITING_HEAD) {
      if (this.#partial !== null) {
        const next = this.#partial.push(plane.buffers.bytes, at, end);
        if (next === INCOMPLETE) return;
        const whole = this.#partial;
        this.#partial = null;
        if (next === REFUSED) {
          this.#fail(responseFailure(whole.failure));
          return;
        }
        const length = parseResponseHead(
          head,
          whole.bytes,
          0,
          whole.length,
          limitsOfHead,
          exchange.method,
        );
        if (length <= 0) {
          this.#fail(responseFailure(head.failure));
          return;
        }
        this.#gotHead(exchange, head, -1, next, next, id, end);
        at = next;
        continue;
      }
      const length = parseResponseHead(
        head,
        plane.buffers.bytes,
        at,
        end,
        limitsOfHead,
        exchange.method,
      );
      if (length === REFUSED) {
        this.#fail(responseFailure(head.failure));
        return;
      }
      if (length === INCOMPLETE) {
        this.#partial = new PartialHead(limitsOfHead, true);
        if (this.#partial.push(plane.buffers.bytes, at, end) === REFUSED) {
          this.#fail(responseFailure(this.#partial.failure));
        }
        return;
      }
      // Only the first message of a buffer may spread into the bytes before it.
      const floor = at === from ? plane.buffers.startOf(id) : at;
      this.#gotHead(exchange, head, id, floor, at + length, id, end);
      at += length;
    }
  }

  /** `headId` -1: the head stands in a copy. Body bytes, if any, are `[at, end)` of buffer `id`. */
  #gotHead(
    exchange: Exchange,
    head: Head,
    headId: number,
    floor: number,
    at: number,
    id: number,
    end: number,
  ): void {
    const client = exchange.client;
    invariant(client !== null, 'a waiting exchange has its client');
    if (head.status < 200) {
      if (head.status === 101) this.#switched(exchange, head, id, at, end);
      else this.#interim(exchange, head);
      return;
    }
    if (head.keepAliveHintMs >= 0) this.#noteHint(head.keepAliveHintMs);
    this.#mayBeReused = !head.wantsClose && head.framing !== Framing.CLOSE;
    const { failover } = exchange;
    const { isOnStatus } = failover.rule;
    const isBad =
      (isOnStatus !== null && isOnStatus[head.status] === 1) ||
      (failover.rival !== null && head.status >= 500);
    if (isBad && this.#plane.conductor.takesBack(exchange, head, this)) {
      this.#takenBack(exchange, head, id, at, end);
      return;
    }
    if (this.#pool.balancing.usesLoadHeader) {
      noteLoadHeader(this.#plane.words, this.#server.slot, head);
    }
    if (exchange.plan?.replaces(exchange, head.status) === true) {
      this.#replaced(exchange, head, id, at, end);
      return;
    }
    const { hooked } = exchange;
    if (hooked?.hooks.hasResponse === true) {
      if (!this.#askHooks(exchange, hooked, head, id, at, end)) return;
    }
    this.#phase = Phase.BODY;
    this.#plane.conductor.answered(exchange, head.status, this);
    const framing = head.framing;
    const contentLength = head.contentLength;
    const outFraming = client.answer(exchange, head, headId, floor, at);
    // The common case, without the relay's state: head and whole body came together.
    if (framing === Framing.LENGTH && at + contentLength === end) {
      this.#wholeBody(exchange, client, id, at, contentLength);
      return;
    }
    this.#relay.start(framing, contentLength, outFraming);
    this.#body(exchange, id, at, end);
  }

  /** Asks the hooks of the answer. False: it is refused, or held until they have decided. */
  #askHooks(
    exchange: Exchange,
    hooked: Hooked,
    head: Head,
    id: number,
    at: number,
    end: number,
  ): boolean {
    const plane = this.#plane;
    const facade = new ResponseFacade(hooked, head, this.#server.server.address);
    const held = new HeldAnswer(facade.lines.bytes, plane.buffers);
    const outcome = plane.hooks.response(exchange, hooked, facade, (late) => {
      if (this.#held === held) this.#hooksDecided(exchange, held, late);
    });
    if (outcome === null) return true;
    if (outcome !== SUSPENDED) {
      this.#fail(typeof outcome === 'string' ? outcome : 'hook-failed');
      return false;
    }
    if (at < end) {
      plane.buffers.retain(id);
      held.pending.append(id, at, end - at);
    }
    this.#held = held;
    this.#phase = Phase.HELD;
    this.#sleep();
    this.#link.pause();
    return false;
  }

  /** Goes on with a held answer. */
  #hooksDecided(exchange: Exchange, held: HeldAnswer, outcome: HookOutcome): void {
    const plane = this.#plane;
    const client = exchange.client;
    invariant(client !== null, 'a held answer has its client');
    if (outcome !== null) {
      this.#fail(typeof outcome === 'string' ? outcome : 'hook-failed');
      return;
    }
    this.#held = null;
    const head = plane.responseHead;
    const { headLimits } = exchange.listener!.table;
    const length = held.head.length;
    const parsed = parseResponseHead(head, held.head, 0, length, headLimits, exchange.method);
    invariant(parsed === length, 'a head that was valid still is');
    this.#phase = Phase.BODY;
    const now = plane.driver.now();
    this.#waitsSinceMs = now;
    this.#wakeAt(now + this.#pool.timeouts.idleMs);
    plane.conductor.answered(exchange, head.status, this);
    const { framing, contentLength } = head;
    const outFraming = client.answer(exchange, head, -1, 0, 0);
    this.#relay.start(framing, contentLength, outFraming);
    this.#link.resume();
    this.#passHeld(exchange, held);
  }

  #passHeld(exchange: Exchange, { pending, hasEnded, closedErrno }: HeldAnswer): void {
    const { buffers } = this.#plane;
    if (pending.isEmpty) this.#body(exchange, -1, 0, 0);
    while (!pending.isEmpty && this.#exchange === exchange) {
      const { id, offset, length } = pending.take();
      this.#body(exchange, id, offset, offset + length);
      buffers.release(id);
    }
    if (!pending.isEmpty) {
      // Bytes beyond the answer's end.
      pending.releaseAll();
      if (this.#phase === Phase.IDLE) this.#leaveIdle();
      if (this.#phase !== Phase.GONE) {
        this.#gone();
        this.#link.abort();
      }
    }
    if (this.#phase === Phase.GONE) return;
    if (closedErrno >= 0) this.onClosed(this.#link, closedErrno);
    else if (hasEnded) this.onEnd();
  }

  /** Another server is asked. */
  #takenBack(exchange: Exchange, head: Head, id: number, at: number, end: number): void {
    this.#readForNobody(exchange, head, id, at, end);
    this.#plane.conductor.tryAgain(exchange, this);
  }

  /** The client gets an error page of ours with the same status. */
  #replaced(exchange: Exchange, head: Head, id: number, at: number, end: number): void {
    const fields = fieldsToKeep(head);
    const { status } = head;
    this.#plane.conductor.answered(exchange, status, this);
    this.#readForNobody(exchange, head, id, at, end);
    exchange.server = null;
    exchange.client!.answerHere(exchange, {
      status,
      reason: 'upstream-status',
      body: null,
      contentType: '',
      fields,
    });
  }

  /** What is left of this answer is read for nobody, so that the link can be used again. */
  #readForNobody(exchange: Exchange, head: Head, id: number, at: number, end: number): void {
    this.#exchange = null;
    if (!this.#mayBeReused || !exchange.isRequestComplete) {
      this.#gone();
      this.#link.abort();
    } else {
      this.#phase = Phase.DISCARD;
      this.#discardedBytes = 0;
      this.#relay.start(head.framing, head.contentLength, Framing.NONE);
      this.#wakeAt(this.#plane.driver.now() + limits.discardMs);
      this.#discard(id, at, end);
    }
  }

  #discard(id: number, from: number, end: number): void {
    const relay = this.#relay;
    const behind = relay.feed(id, from, end, this.#plane.nowhere);
    this.#discardedBytes += end - from;
    if (relay.isComplete) {
      if (behind < end) this.#mayBeReused = false;
      this.#keepOrClose(true);
    } else if (relay.failure !== null || this.#discardedBytes > limits.discardBytes) {
      this.#gone();
      this.#link.abort();
    }
  }

  /** The server speaks another protocol from here on: only one that was offered. */
  #switched(exchange: Exchange, head: Head, id: number, at: number, end: number): void {
    if (!exchange.wantsUpgrade || !head.hasUpgrade || !isOffered(exchange, head)) {
      this.#fail('upstream-upgrade-unasked');
      return;
    }
    exchange.client?.answer(exchange, head, -1, 0, 0);
    exchange.client?.flush();
    this.#plane.buffers.retain(id);
    this.#plane.conductor.upgraded(exchange, this, [id, at, end - at]);
  }

  #interim(exchange: Exchange, head: Head): void {
    exchange.interims++;
    if (exchange.interims > limits.interimResponses) {
      this.#fail('upstream-response-invalid');
      return;
    }
    if (head.status === 100) exchange.awaitsContinue = false;
    exchange.client?.interim(exchange, head);
  }

  #wholeBody(exchange: Exchange, client: ClientSide, id: number, at: number, length: number): void {
    if (length > 0) {
      this.#plane.buffers.retain(id);
      client.span(id, at, length);
    }
    client.flush();
    this.#plane.conductor.finished(exchange);
  }

  #body(exchange: Exchange, id: number, from: number, end: number): void {
    const client = exchange.client;
    invariant(client !== null, 'an answered exchange has its client');
    const relay = this.#relay;
    const behind = relay.feed(id, from, end, client);
    client.flush();
    if (relay.failure !== null) {
      this.#fail('upstream-body-invalid');
      return;
    }
    if (relay.isComplete) {
      // Bytes beyond the answer's end are no answer (RFC 9112 §6.3).
      if (behind < end) this.#mayBeReused = false;
      this.#plane.conductor.finished(exchange);
    } else if (client.waitingBytes > limits.queueHighBytes) this.setAnswerPaused(true);
  }

  #fail(code: FailureCode): void {
    const exchange = this.#exchange;
    const sawByte = this.#sawByte;
    this.#exchange = null;
    // It closed the link at its idle limit, just when it was to be used again.
    if (this.isReused && !sawByte && isClosing(code)) this.#closedAfter(this.#idledMs);
    this.#gone();
    this.#link.abort();
    if (exchange !== null) this.#plane.conductor.serverFailed(exchange, code, sawByte, this);
  }

  #gone(): void {
    this.#held?.pending.releaseAll();
    this.#held = null;
    this.#phase = Phase.GONE;
    this.#partial = null;
    this.#sleep();
  }

  #closeInOrder(): void {
    closeLink(this.#plane, this.#link, this.#pool.timeouts.idleMs, () => {});
  }

  /** How long this link may be idle: below what the server says, and below what it was seen to allow. */
  #idleMs(): number {
    const saidMs = this.#hintMs >= 0 ? keptMs(this.#hintMs) : this.#pool.reuse.idleMs;
    // A plain read: an older value costs one link at most.
    const learnedMs = this.#plane.words.idleLimit[this.#server.slot]!;
    return learnedMs === 0 ? saidMs : Math.min(saidMs, keptMs(learnedMs));
  }

  #noteHint(hintMs: number): void {
    this.#hintMs = hintMs;
    const server = this.#server;
    if (server.toldHintMs === hintMs) return;
    server.toldHintMs = hintMs;
    if (keptMs(hintMs) >= this.#pool.reuse.idleMs) return;
    this.#plane.post({ type: 'idle-limit', slot: server.slot, limitMs: hintMs, isSaid: true });
  }

  /** The server closed this link, which had been idle so long. */
  #closedAfter(idleMs: number): void {
    const { slot } = this.#server;
    const now = this.#plane.driver.now();
    const isBurst = now - this.#server.idleClosedAtMs < CLOSES_APART_MS;
    this.#server.idleClosedAtMs = now;
    if (isBurst) return;
    const limitMs = noteIdleClose(this.#plane.words, slot, idleMs);
    if (limitMs > 0) this.#plane.post({ type: 'idle-limit', slot, limitMs, isSaid: false });
  }

  #leaveIdle(): void {
    const idle = this.#server.idle;
    const index = idle.lastIndexOf(this);
    if (index >= 0) idle.splice(index, 1);
  }

  #armAnswerTimer(nowMs: number): void {
    const dueMs = nowMs + this.#pool.timeouts.firstByteMs;
    this.#wakeAt(dueMs);
  }

  #wakeAt(atMs: number): void {
    this.#alarmMs = atMs;
    this.#plane.wheel.schedule(this.#timer, atMs);
  }

  #sleep(): void {
    this.#alarmMs = -1;
    this.#plane.wheel.cancel(this.#timer);
  }

  #onTimer(nowMs: number): void {
    this.#alarmMs = -1;
    const timeouts = this.#pool.timeouts;
    if (this.#phase === Phase.IDLE) {
      this.#onIdleTimer(nowMs);
      return;
    }
    if (this.#phase === Phase.DISCARD) {
      this.#gone();
      this.#link.abort();
      return;
    }
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (this.#phase === Phase.DIALLING) {
      this.#fail('connect-timeout');
      return;
    }
    // A link that was idle and is used again still has its idle deadline: look at what is due now.
    const progressMs = Math.max(this.#waitsSinceMs, this.#link.progressAtMs);
    const isAwaiting = this.#phase === Phase.AWAITING_HEAD;
    const allowedMs = isAwaiting ? timeouts.firstByteMs : timeouts.idleMs;
    // A client waits for the server while it waits for `100 Continue`, or while its body is not taken.
    const isClientsTurn =
      !exchange.isRequestComplete && !exchange.awaitsContinue && this.#link.queuedBytes === 0;
    if (this.#isPaused || (isAwaiting && isClientsTurn)) {
      // The other side is what is slow, and it has a time-out of its own.
      this.#wakeAt(nowMs + allowedMs);
      return;
    }
    if (nowMs - progressMs >= allowedMs) {
      this.#fail(isAwaiting ? 'upstream-timeout' : 'upstream-body-stalled');
    } else this.#wakeAt(progressMs + allowedMs);
  }

  #onIdleTimer(nowMs: number): void {
    const dueMs = this.#waitsSinceMs + this.#idleMs();
    if (nowMs < dueMs) {
      this.#wakeAt(dueMs);
      return;
    }
    this.#leaveIdle();
    this.retire();
  }
}

/** The scanner of heads speaks of requests; on this side the same faults are the server's. */
function responseFailure(code: FailureCode | null): FailureCode {
  return code === 'header-too-large' ||
    code === 'too-many-headers' ||
    code === 'upstream-header-too-large'
    ? 'upstream-header-too-large'
    : 'upstream-response-invalid';
}
