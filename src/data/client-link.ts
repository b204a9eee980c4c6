// Rule zero: longer than 400 lines, because it is one state machine whose phases share all of its fields; what could
// stand alone (writing answers, waiting bytes, heads in pieces, admission) does.
import { invariant } from '../base/invariant.ts';
import { TimerEntry } from '../base/timing-wheel.ts';
import { queueClassOf } from '../match/queue-class.ts';
import { type FailureCode, failureKind } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import { ListenerColumn } from '../observe/columns.ts';
import type { Link, LinkHandler } from '../platform/driver.ts';
import { Framing, type Head, INCOMPLETE, Method, REFUSED } from '../wire/http1/head.ts';
import { parseRequestHead } from '../wire/http1/request-parser.ts';
import type { RequestForwarding } from '../wire/http1/write-request.ts';
import { type Admission, admit, admitToPool, noteRequest } from './admit.ts';
import { AnswerWriter } from './answer-writer.ts';
import { type Answer, answerBytes } from './answers.ts';
import { BodyRelay } from './body-relay.ts';
import { closeLink } from './close-link.ts';
import { type Carrier, type ClientSide, Exchange, Stage, type Surrendered } from './exchange.ts';
import { type HookOutcome, SUSPENDED } from './hook-runner.ts';
import type { ListenerState } from './listener-state.ts';
import { PartialHead } from './partial-head.ts';
import { PendingBytes } from './pending-bytes.ts';
import type { Plane } from './plane.ts';
import { writeRequest } from './request-writer.ts';

/** What a client's link is doing. */
const Phase = { HEAD: 0, EXCHANGE: 1, LINGER: 2, GONE: 3 } as const;

/**
 * One HTTP/1.x link from a client: reads requests one after the other, writes their answers in order.
 *
 *   HEAD ──whole head──▶ EXCHANGE ──answer complete──▶ HEAD          (bytes that came meanwhile are next)
 *     └─ invalid, late ──┐    └─ last answer ──▶ LINGER ──peer's FIN, 2 s of silence──▶ GONE
 *                        └───────────────────────▲
 */
export class ClientLink implements ClientSide, LinkHandler {
  /** Neighbours in the listener's list of links. */
  previous: ClientLink | null = null;
  next: ClientLink | null = null;
  readonly link: Link;
  readonly listener: ListenerState;
  readonly #plane: Plane;
  readonly #writer: AnswerWriter;
  readonly #timer: TimerEntry;
  /** When the timer fires, -1 while it is not set: known without touching it, once per exchange. */
  #alarmMs = -1;
  #phase: number = Phase.HEAD;
  #exchange: Exchange | null = null;
  #tunnel: Carrier | null = null;
  #tunnelSlot = -1;
  #relay: BodyRelay | null = null;
  #partial: PartialHead | null = null;
  /** Bytes behind the present request; made when there are any. */
  #pending: PendingBytes | null = null;
  #isProcessing = false;
  #isBodyPaused = false;
  #isLinkPaused = false;
  #hasEnded = false;
  #endedAtMs = 0;
  /** Since when the idle link is to end; -1 = it is not. */
  #leavesSinceMs = -1;
  #mustClose = false;
  /** An answer of ours that waits until the body bytes at hand were passed over. */
  #answerSoon: Admission | null = null;
  /** Since when the present wait lasts: a head's first byte, the end of the last answer (driver ms). */
  #waitsSinceMs: number;
  #lingerBytes = 0;

  constructor(plane: Plane, listener: ListenerState, link: Link) {
    this.#plane = plane;
    this.listener = listener;
    this.link = link;
    this.#writer = new AnswerWriter(plane, listener, link);
    this.#waitsSinceMs = plane.driver.now();
    this.#timer = new TimerEntry((nowMs) => this.#onTimer(nowMs));
    this.#wakeAt(this.#waitsSinceMs + this.#timeouts().keepAliveMs);
  }

  get address(): string {
    return this.link.remoteAddress;
  }

  get waitingBytes(): number {
    return this.link.queuedBytes;
  }

  #timeouts(): { headerMs: number; keepAliveMs: number; idleMs: number } {
    return this.listener.current.table.snapshot.timeouts;
  }

  // What the driver tells.

  onConnected(): void {
    invariant(false, 'an accepted link is connected from its start');
  }

  onReceive(_link: Link, id: number, offset: number, length: number): void {
    if (this.#phase === Phase.LINGER) {
      this.#plane.buffers.release(id);
      this.#lingerBytes += length;
      if (this.#lingerBytes > limits.lingerBytes) this.link.abort();
      return;
    }
    this.listener.countBytesIn(length);
    if (this.#pending !== null || this.#isAnswerStuck()) {
      this.#pending ??= new PendingBytes(this.#plane.buffers);
      this.#pending.append(id, offset, length);
      this.#updateFlow();
      return;
    }
    this.#isProcessing = true;
    this.#take(id, offset, offset + length);
    this.#isProcessing = false;
    if (this.#pending !== null) this.#drainPending();
  }

  onEnd(): void {
    this.#hasEnded = true;
    if (this.#phase === Phase.EXCHANGE) {
      const exchange = this.#exchange;
      if (exchange === null) return;
      // Its last bytes may wait for a hook.
      const mayBeWhole = exchange.stage === Stage.SUSPENDED && this.#pending !== null;
      if (!exchange.isRequestComplete) {
        if (!mayBeWhole) this.#lost('client-aborted');
      }
      // Half-closed or gone: a FIN does not tell. Who half-closes gets an answer that comes soon.
      else if (exchange.stage !== Stage.ANSWERING) {
        this.#endedAtMs = this.#plane.driver.now();
        this.#wakeAt(this.#endedAtMs + limits.halfCloseGraceMs);
      }
      return;
    }
    if (this.#phase === Phase.HEAD && this.#pending !== null) return;
    this.#close();
  }

  onDrain(): void {
    this.#exchange?.server?.setAnswerPaused(false);
    if (this.#pending !== null && !this.#isProcessing) this.#drainPending();
  }

  onClosed(): void {
    if (this.#phase === Phase.GONE) return;
    this.#lost('client-aborted');
  }

  // What the server's half and the conductor ask.

  span(id: number, offset: number, length: number): void {
    this.#writer.span(id, offset, length);
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    this.#writer.copy(bytes, start, end);
  }

  flush(): void {
    this.#writer.flush();
  }

  interim(exchange: Exchange, head: Head): void {
    if (exchange.minor === 1) this.#writer.interim(head);
  }

  answer(exchange: Exchange, head: Head, id: number, floor: number, bodyAt: number): number {
    const framing = this.#writer.framingFor(head, exchange.minor);
    const isSwitch = head.status === 101;
    const closes =
      !isSwitch &&
      (this.#mustClose ||
        exchange.clientCloses ||
        exchange.minor === 0 ||
        framing === Framing.CLOSE ||
        // An answer before the request's end cannot be followed by another on this link.
        !exchange.isRequestComplete ||
        this.#plane.isDraining ||
        this.listener.isLeaving);
    if (closes) this.#mustClose = true;
    exchange.status = head.status;
    const form = this.#plane.responseForm;
    form.framing = framing;
    form.closes = closes;
    form.edits = exchange.plan === null ? null : exchange.plan.responseEdits(exchange);
    const sticky = exchange.pool === null ? null : exchange.pool.sticky;
    if (sticky !== null) {
      form.edits = sticky.editsFor(this.#plane, exchange, head.status, form.edits);
    }
    const edits = exchange.hooked === null ? null : exchange.hooked.responseEdits;
    if (edits !== null) form.edits = edits.over(form.edits);
    const place = this.#plane.headPlace;
    place.id = id;
    place.floor = floor;
    place.bodyAt = bodyAt;
    this.#writer.head(head, place);
    return framing;
  }

  tally(exchange: Exchange): void {
    this.#writer.tally(exchange);
  }

  finish(exchange: Exchange): void {
    invariant(this.#exchange === exchange, 'an exchange ends on the link it came by');
    this.#exchange = null;
    this.#isBodyPaused = false;
    if (this.#mustClose || this.listener.isLeaving) {
      this.#lastAnswerSent(!exchange.isRequestComplete);
      return;
    }
    this.#phase = Phase.HEAD;
    this.#waitsSinceMs = this.#plane.driver.now();
    if (this.#pending === null && this.#hasEnded) {
      this.#close();
      return;
    }
    this.#armIdle(this.#waitsSinceMs);
    if (this.#pending !== null && !this.#isProcessing) this.#drainPending();
  }

  abortAnswer(exchange: Exchange): void {
    this.#exchange = null;
    this.#gone();
    // A body that ends with the link would look whole after an orderly end.
    if (exchange.minor === 0) {
      this.#leaveList();
      this.link.abort();
    } else closeLink(this.#plane, this.link, this.#timeouts().idleMs, () => this.#leaveList());
  }

  answerFailure(exchange: Exchange, code: FailureCode): void {
    const kind = failureKind(code);
    // What a client sent wrong is never followed by another request on its link.
    if (kind.origin === 'downstream') this.#mustClose = true;
    this.answerHere(exchange, {
      status: kind.status,
      reason: code,
      body: null,
      contentType: '',
      fields: null,
    });
  }

  setBodyPaused(isPaused: boolean): void {
    if (this.#isBodyPaused === isPaused) return;
    this.#isBodyPaused = isPaused;
    this.#waitsSinceMs = this.#plane.driver.now();
    this.#updateFlow();
    if (!isPaused && !this.#isProcessing) this.#drainPending();
  }

  surrender(): Surrendered {
    const pending = this.#pending?.takeAll() ?? [];
    this.#pending = null;
    this.#exchange = null;
    this.#isBodyPaused = false;
    this.#updateFlow();
    this.#writer.flush();
    this.#sleep();
    this.#phase = Phase.GONE;
    return { link: this.link, pending, hasEnded: this.#hasEnded };
  }

  carriedBy(tunnel: Carrier, slot: number): void {
    this.#tunnel = tunnel;
    this.#tunnelSlot = slot;
  }

  forget(): void {
    this.listener.removeLink(this);
  }

  // What the listener and the drain ask.

  /**
   * Ends after the present answer. An idle link gets a moment more: a request may be on its way to us, and
   * is answered with `Connection: close` instead of a FIN.
   */
  leave(): void {
    this.#mustClose = true;
    if (this.#phase !== Phase.HEAD || this.#partial !== null) return;
    this.#leavesSinceMs = this.#plane.driver.now();
    this.#wakeAt(this.#leavesSinceMs + this.#leaveAfterMs());
  }

  #leaveAfterMs(): number {
    const { replacedForMs, random } = this.#plane;
    if (replacedForMs === 0) return limits.leaveGraceMs;
    const { replacedCloseFrom: from, replacedCloseTo: to } = limits;
    return Math.floor(replacedForMs * (from + (to - from) * random()));
  }

  /** Ends at once: the deadline of a drain has passed. */
  cut(): void {
    this.link.abort();
  }

  get serverSlot(): number {
    if (this.#exchange !== null) return this.#exchange.slot;
    return this.#tunnel === null || this.#tunnel.isOver ? -1 : this.#tunnelSlot;
  }

  endFor(code: FailureCode): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.#tunnel?.end(code);
      return;
    }
    if (exchange.stage === Stage.ANSWERING) {
      this.#lost(code);
      return;
    }
    this.#plane.conductor.withdraw(exchange);
    exchange.failure = code;
    this.answerFailure(exchange, code);
  }

  /** An answer of our own; the request's body, if it is not all here, ends the link. */
  answerHere(exchange: Exchange, answer: Answer): void {
    const bytes = answerBytes(this.#plane, exchange, answer, this.#closesAfterOwn(exchange));
    exchange.status = answer.status;
    exchange.isAnsweredHere = true;
    this.#writer.own(bytes);
    this.#plane.conductor.endedHere(exchange);
  }

  #closesAfterOwn(exchange: Exchange): boolean {
    const closes =
      this.#mustClose ||
      exchange.clientCloses ||
      exchange.minor === 0 ||
      !exchange.isRequestComplete ||
      this.#plane.isDraining;
    if (closes) this.#mustClose = true;
    return closes;
  }

  /** Between exchanges, answers wait for a client that does not read: its next request waits too. */
  #isAnswerStuck(): boolean {
    return this.#phase === Phase.HEAD && this.link.queuedBytes > limits.queueHighBytes;
  }

  /** The present request has body bytes to come, and no hook that has yet to decide. */
  #takesBody(): boolean {
    const exchange = this.#exchange!;
    return !exchange.isRequestComplete && exchange.stage !== Stage.SUSPENDED;
  }

  // Reading requests.

  /** Takes received bytes, message after message; owns one reference of `id`. */
  #take(id: number, from: number, end: number): void {
    let at = from;
    while (at < end) {
      if (this.#phase === Phase.HEAD) at = this.#takeHead(id, at, end);
      else if (this.#phase === Phase.EXCHANGE && this.#takesBody()) {
        at = this.#takeBody(id, at, end);
      } else break;
    }
    if (at < end && this.#phase <= Phase.EXCHANGE) {
      this.#pending ??= new PendingBytes(this.#plane.buffers);
      this.#pending.prepend(id, at, end - at);
      this.#updateFlow();
    } else this.#plane.buffers.release(id);
    this.#settle();
  }

  /** The body bytes at hand are taken: now a server is chosen, or our own answer leaves. */
  #settle(): void {
    const exchange = this.#exchange;
    if (exchange === null || this.#phase !== Phase.EXCHANGE) return;
    if (this.#answerSoon !== null) this.#answerAdmission(exchange);
    else if (exchange.stage === Stage.CHOOSING) {
      const { plan } = exchange;
      this.#plane.conductor.begin(exchange);
      if (plan !== null) plan.mirror?.send();
    }
  }

  /** Bytes that came while an exchange ran are the next requests. A loop, so that a thousand of them need no stack. */
  #drainPending(): void {
    while (this.#pending !== null && !this.#isProcessing) {
      const mayGoOn =
        (this.#phase === Phase.HEAD && !this.#isAnswerStuck()) ||
        (this.#phase === Phase.EXCHANGE && this.#takesBody() && !this.#isBodyPaused);
      if (!mayGoOn) return;
      const pending = this.#pending;
      const { id, offset, length } = pending.take();
      if (pending.isEmpty) this.#pending = null;
      this.#isProcessing = true;
      this.#take(id, offset, offset + length);
      this.#isProcessing = false;
    }
    if (this.#pending === null) {
      this.#updateFlow();
      if (this.#hasEnded && this.#phase === Phase.HEAD) this.#close();
    }
  }

  #takeHead(id: number, at: number, end: number): number {
    const plane = this.#plane;
    const head = plane.requestHead;
    const limitsOfHead = this.listener.current.table.headLimits;
    if (this.#partial === null) {
      const length = parseRequestHead(head, plane.buffers.bytes, at, end, limitsOfHead);
      if (length > 0) {
        // Only the first message of a buffer may spread into the bytes before it: before any other stand bytes
        // of an earlier one, which may still wait for a server that answered without having read them.
        const start = plane.buffers.startOf(id);
        const floor = at === start + plane.buffers.headroomBytes ? start : head.start;
        this.#startExchange(head, id, floor, at + length);
        return at + length;
      }
      if (length === REFUSED) {
        this.#refuse(head.failure ?? 'header-invalid');
        return end;
      }
      this.#partial = new PartialHead(limitsOfHead, false);
      this.#waitsSinceMs = plane.driver.now();
      this.#wakeAt(this.#waitsSinceMs + this.#timeouts().headerMs);
    }
    const partial = this.#partial;
    const next = partial.push(plane.buffers.bytes, at, end);
    if (next === INCOMPLETE) return end;
    this.#partial = null;
    if (next === REFUSED) {
      this.#refuse(partial.failure ?? 'header-invalid');
      return end;
    }
    const length = parseRequestHead(head, partial.bytes, 0, partial.length, limitsOfHead);
    if (length <= 0) this.#refuse(head.failure ?? 'header-invalid');
    else this.#startExchange(head, -1, 0, next);
    return length <= 0 ? end : next;
  }

  /** `headId` -1: the head stands in a copy; body bytes, if any, begin at `bodyAt` of the present buffer. */
  #startExchange(head: Head, headId: number, floor: number, bodyAt: number): void {
    const plane = this.#plane;
    const exchange = plane.freeExchanges.pop() ?? new Exchange(plane.buffers);
    const listener = this.listener.current;
    exchange.begin(this, listener, plane.driver);
    plane.cells[listener.counters + ListenerColumn.STARTED]! += 1;
    this.#exchange = exchange;
    this.#phase = Phase.EXCHANGE;
    this.#isBodyPaused = false;
    noteRequest(exchange, head);
    if (!exchange.isRequestComplete) {
      this.#relay ??= new BodyRelay(plane.buffers);
      this.#relay.start(head.framing, head.contentLength, head.framing);
    }
    const peer = listener.peers.of(this.link.remoteAddress);
    let admission = admit(plane, listener, exchange, head, peer);
    if (admission.kind === 'hooks') {
      const decided = this.#askHooks(exchange, head, peer.isTrusted);
      if (decided === SUSPENDED) return;
      admission = decided;
    }
    this.#goOn(exchange, admission, head, peer.forwarding, headId, floor, bodyAt);
  }

  /** Writes the request for its pool, or keeps the answer that takes its place; begins when it is all here. */
  #goOn(
    exchange: Exchange,
    admission: Admission,
    head: Head,
    forwarding: RequestForwarding,
    headId: number,
    floor: number,
    bodyAt: number,
  ): void {
    const plane = this.#plane;
    if (admission.kind === 'pool') {
      const classes = exchange.pool!.gate?.classes ?? null;
      if (classes !== null) exchange.failover.priority = queueClassOf(classes, head);
      const place = plane.headPlace;
      place.id = headId;
      place.floor = floor;
      place.bodyAt = bodyAt;
      writeRequest(plane, exchange, head, forwarding, place);
    } else {
      this.#answerSoon = admission;
      plane.tracing?.beginHere(exchange, head, forwarding.isTrustedPeer);
    }
    const mirror = exchange.plan === null ? null : exchange.plan.mirror;
    if (mirror !== null) mirror.takeHead();
    if (!exchange.isRequestComplete) return;
    if (mirror !== null) mirror.whole();
    this.#settle();
  }

  /** Asks the hooks of the request's route; while one has not decided, the link waits with what comes. */
  #askHooks(exchange: Exchange, head: Head, isTrusted: boolean): Admission | typeof SUSPENDED {
    const plane = this.#plane;
    const hooked = exchange.hooked;
    invariant(hooked !== null, 'an exchange with hooks has what goes with them');
    const outcome = plane.hooks.request(exchange, hooked, (late) => this.#hooksDecided(late));
    if (outcome === SUSPENDED) {
      exchange.stage = Stage.SUSPENDED;
      return SUSPENDED;
    }
    return admissionOf(outcome) ?? admitToPool(plane, exchange, head, isTrusted);
  }

  /** Goes on with a request whose hooks took their time. Its head is parsed again, from the copy. */
  #hooksDecided(outcome: HookOutcome): void {
    const plane = this.#plane;
    const exchange = this.#exchange;
    invariant(exchange?.hooked, 'hooks of an ended exchange are not heard');
    exchange.stage = Stage.CHOOSING;
    const { bytes } = exchange.hooked.lines;
    const head = plane.requestHead;
    const limitsOfHead = exchange.listener!.table.headLimits;
    const length = parseRequestHead(head, bytes, 0, bytes.length, limitsOfHead);
    invariant(length === bytes.length, 'a head that was valid still is');
    const { isTrusted, forwarding } = exchange.listener!.peers.of(this.link.remoteAddress);
    const decided = admissionOf(outcome) ?? admitToPool(plane, exchange, head, isTrusted);
    this.#goOn(exchange, decided, head, forwarding, -1, 0, 0);
    if (!exchange.isRequestComplete && this.#pending === null) this.#settle();
    this.#drainPending();
    const isCut = this.#hasEnded && this.#pending === null && this.#exchange === exchange;
    if (isCut && !exchange.isRequestComplete) this.#lost('client-aborted');
  }

  #answerAdmission(exchange: Exchange): void {
    const admission = this.#answerSoon;
    this.#answerSoon = null;
    if (admission === null || admission.kind === 'pool' || admission.kind === 'hooks') return;
    if (admission.kind === 'failure') {
      exchange.failure = admission.code;
      this.answerFailure(exchange, admission.code);
    } else this.answerHere(exchange, admission.answer);
  }

  #takeBody(id: number, at: number, end: number): number {
    const exchange = this.#exchange!;
    const relay = this.#relay!;
    const mirror = exchange.plan === null ? null : exchange.plan.mirror;
    const sink = this.#answerSoon !== null ? this.#plane.nowhere : (mirror ?? exchange);
    const behind = relay.feed(id, at, end, sink);
    if (relay.failure !== null) {
      this.#bodyInvalid(exchange, relay.failure);
      return end;
    }
    exchange.isRequestComplete = relay.isComplete;
    // Who sends its body does not wait for a 100 (any more).
    exchange.awaitsContinue = false;
    if (exchange.stage !== Stage.CHOOSING) exchange.flush();
    if (!relay.isComplete) this.#holdBack(exchange);
    else if (mirror !== null) {
      mirror.whole();
      if (exchange.stage !== Stage.CHOOSING) mirror.send();
    }
    return behind;
  }

  #holdBack(exchange: Exchange): void {
    const server = exchange.server;
    const waiting = server === null ? exchange.segmentBytes : server.waitingBytes;
    const isConnected = server?.isConnected ?? false;
    // Until a server is connected the whole request is kept, so less of it is taken in.
    const allowed = isConnected ? limits.queueHighBytes : limits.replayBytes - limits.bufferBytes;
    if (waiting > allowed) this.setBodyPaused(true);
  }

  #bodyInvalid(exchange: Exchange, code: FailureCode): void {
    this.#mustClose = true;
    this.#answerSoon = null;
    if (exchange.stage === Stage.ANSWERING) {
      this.#lost(code);
      return;
    }
    this.#plane.conductor.withdraw(exchange);
    exchange.failure = code;
    this.answerFailure(exchange, code);
  }

  /** Bytes that are no request: an answer, then the link closes. */
  #refuse(code: FailureCode): void {
    const plane = this.#plane;
    const exchange = plane.freeExchanges.pop() ?? new Exchange(plane.buffers);
    exchange.begin(this, this.listener.current, plane.driver);
    plane.cells[exchange.listener!.counters + ListenerColumn.STARTED]! += 1;
    exchange.method = Method.GET;
    exchange.minor = 1;
    exchange.clientAddress = this.link.remoteAddress;
    if (plane.hasAccessLog) exchange.note.clear(plane.logLayout);
    exchange.failure = code;
    this.#exchange = exchange;
    this.#phase = Phase.EXCHANGE;
    this.#mustClose = true;
    this.answerFailure(exchange, code);
  }

  // Ending.

  #armIdle(now: number): void {
    const dueMs = now + this.#timeouts().keepAliveMs;
    if (this.#alarmMs < 0 || dueMs < this.#alarmMs) this.#wakeAt(dueMs);
  }

  #lastAnswerSent(isUnread: boolean): void {
    const hasUnread = isUnread || this.#pending !== null || this.#partial !== null;
    if (!hasUnread || this.#hasEnded) {
      this.#close();
      return;
    }
    // Closing with unread bytes would reset the link and may destroy the answer on its way (RFC 9112 §9.6).
    this.#phase = Phase.LINGER;
    this.#releasePending();
    this.#isLinkPaused = false;
    this.link.resume();
    this.link.end();
    this.#waitsSinceMs = this.#plane.driver.now();
    this.#wakeAt(this.#waitsSinceMs + limits.lingerMs);
  }

  #close(): void {
    if (this.#phase === Phase.GONE) return;
    this.#gone();
    closeLink(this.#plane, this.link, this.#timeouts().idleMs, () => this.#leaveList());
  }

  #leaveList(): void {
    this.listener.removeLink(this);
  }

  #lost(code: FailureCode): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#gone();
    this.#leaveList();
    if (exchange !== null) this.#plane.conductor.clientGone(exchange, code);
    if (this.link.isOpen) this.link.abort();
  }

  #gone(): void {
    if (this.#phase === Phase.GONE) return;
    this.#phase = Phase.GONE;
    this.#writer.discard();
    this.#releasePending();
    this.#partial = null;
    this.#sleep();
  }

  #releasePending(): void {
    this.#pending?.releaseAll();
    this.#pending = null;
  }

  #updateFlow(): void {
    const isPaused = this.#isBodyPaused || this.#pending !== null;
    if (isPaused === this.#isLinkPaused) return;
    this.#isLinkPaused = isPaused;
    if (isPaused) this.link.pause();
    else this.link.resume();
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
    const timeouts = this.#timeouts();
    if (this.#phase === Phase.LINGER) {
      const quietMs = Math.max(this.link.progressAtMs, this.#waitsSinceMs) + limits.lingerMs;
      const dueMs = Math.min(quietMs, this.#waitsSinceMs + limits.lingerMsMax);
      if (nowMs < dueMs) this.#wakeAt(dueMs);
      else this.#close();
      return;
    }
    if (this.#phase === Phase.HEAD) {
      const isStarted = this.#partial !== null;
      if (!isStarted && this.#leavesSinceMs >= 0) {
        this.#close();
        return;
      }
      const dueMs = this.#waitsSinceMs + (isStarted ? timeouts.headerMs : timeouts.keepAliveMs);
      if (nowMs < dueMs) this.#wakeAt(dueMs);
      else if (isStarted) {
        this.#partial = null;
        this.#refuse('header-timeout');
      } else this.#close();
      return;
    }
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (this.#hasEnded && exchange.stage !== Stage.ANSWERING) {
      const dueMs = this.#endedAtMs + limits.halfCloseGraceMs;
      if (nowMs >= dueMs) this.#lost('client-aborted');
      else this.#wakeAt(dueMs);
      return;
    }
    const isSending = this.link.queuedBytes > 0;
    const isReceiving =
      !exchange.isRequestComplete && !this.#isBodyPaused && !exchange.awaitsContinue;
    const progressMs = Math.max(this.link.progressAtMs, this.#waitsSinceMs, exchange.startedAtMs);
    if ((isSending || isReceiving) && nowMs - progressMs >= timeouts.idleMs) {
      if (isSending) this.#lost('client-stalled');
      else this.#bodyInvalid(exchange, 'body-timeout');
      return;
    }
    const dueMs = isSending || isReceiving ? progressMs + timeouts.idleMs : nowMs + timeouts.idleMs;
    this.#wakeAt(dueMs);
  }
}

/** What hooks decided as an admission; null when the request goes on. */
function admissionOf(outcome: HookOutcome): Admission | null {
  if (outcome === null) return null;
  return typeof outcome === 'string'
    ? { kind: 'failure', code: outcome }
    : { kind: 'answer', answer: outcome };
}
