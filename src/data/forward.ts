// Rule zero: longer than 400 lines, because it is one state machine whose transitions share the same few acts; what decides
// (may it be repeated, where is a place, when is what due) stands alone.
import { ALL_BUSY } from '../balance/policy.ts';
import { invariant } from '../base/invariant.ts';
import { deposit } from '../limit/retry-budget.ts';
import { type FailureCode, failureKind, isClosing } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import { PoolColumn, ServerColumn } from '../observe/columns.ts';
import type { Head } from '../wire/http1/head.ts';
import { passesBreaker } from './breaker-pass.ts';
import type { Exchange, ServerSide } from './exchange.ts';
import { Stage } from './exchange.ts';
import { ExchangeClock } from './exchange-clock.ts';
import { NEVER } from './failover-state.ts';
import { countAnswer, countFailure } from './failure-streak.ts';
import { fallBack, maySubmitAgain } from './fall-back.ts';
import { endRival, leaveRace, slotOf, startRace, winRace } from './hedging.ts';
import { noteAnswerLatency, noteFailureLatency } from './note-latency.ts';
import { answerBegan, givePlace, takePlace } from './places.ts';
import type { Conductor, Plane } from './plane.ts';
import type { PoolGate, QueueOwner } from './pool-gate.ts';
import { record } from './record.ts';
import { retryAfterMs } from './retry-after.ts';
import { mayRepeat, pauseMs, spend, unspend } from './retry-permit.ts';
import { ServerLink } from './server-link.ts';
import type { ServerState } from './server-state.ts';
import type { CompiledPool } from './table.ts';
import { Tunnel } from './tunnel.ts';

/** The server whose reused link died is asked again, by a link of its own. */
function retryStale(exchange: Exchange): void {
  exchange.removeTried(exchange.staleSlot);
  exchange.staleSlot = -1;
  exchange.needsFreshLink = true;
}

/** Free exchanges kept for reuse; a burst's surplus goes to the garbage collector. */
const FREE_EXCHANGES_MAX = 4_096;
/**
 * Conducts exchanges: choose → reuse or dial → relay → on failure decide → record.
 *
 *   CHOOSING ──slot──▶ WAITING ──final head──▶ ANSWERING ──last byte──▶ recorded, FREE
 *      ▲                  │ failure                  └── failure: the answer is cut, recorded
 *      └──── may repeat ──┴──── may not: an answer of ours, recorded
 */
export class Forward implements Conductor, QueueOwner {
  readonly #plane: Plane;
  readonly #clock: ExchangeClock;

  constructor(plane: Plane) {
    this.#plane = plane;
    this.#clock = new ExchangeClock(plane.driver, plane.fineTimers, (exchange, nowMs) =>
      this.#timeDue(exchange, nowMs),
    );
  }

  begin(exchange: Exchange): void {
    const pool = exchange.pool;
    invariant(pool !== null, 'an exchange that begins has its pool');
    const ownRetry = exchange.route === null ? null : exchange.route.retry;
    const rule = ownRetry === null ? pool.retry : ownRetry.for(pool);
    exchange.failover.rule = rule;
    if (rule.depositThousandths > 0) {
      deposit(this.#plane.words.retryTokens, pool.pool.slot, rule.depositThousandths);
    }
    if (rule.hasTimes) this.#clock.start(exchange);
    if (exchange.isBroken) {
      exchange.failure = 'buffers-exhausted';
      exchange.client!.answerFailure(exchange, 'buffers-exhausted');
      return;
    }
    this.#start(exchange, pool, 'no-server-available');
  }

  takesBack(exchange: Exchange, head: Head, side: ServerSide): boolean {
    const plane = this.#plane;
    if (exchange.failover.rival !== null) {
      countAnswer(plane, slotOf(exchange, side), head.status);
      return true;
    }
    // A client that saw an interim answer has seen this server.
    if (exchange.interims > 0) return false;
    if (!mayRepeat(plane, exchange, 'answer', false)) return false;
    const pause = pauseMs(plane, exchange, retryAfterMs(head, plane.wallClock()));
    if (pause < 0) {
      exchange.retries--;
      unspend(plane, exchange);
      return false;
    }
    if (exchange.trace !== null) exchange.trace.status = head.status;
    countAnswer(plane, exchange.slot, head.status);
    exchange.failover.pauseMs = pause;
    return true;
  }

  tryAgain(exchange: Exchange, side: ServerSide): void {
    if (exchange.failover.rival !== null) {
      leaveRace(this.#plane, exchange, side);
      return;
    }
    const slot = exchange.slot;
    exchange.server = null;
    exchange.trace?.failed('upstream-unavailable');
    this.#releaseSlot(exchange);
    exchange.addTried(slot);
    this.#later(exchange, 'upstream-unavailable', exchange.failover.pauseMs);
  }

  answered(exchange: Exchange, status: number, side: ServerSide): void {
    const plane = this.#plane;
    if (exchange.failover.rival !== null) winRace(plane, exchange, side);
    if (exchange.failover.isArmed) this.#quiet(exchange);
    exchange.stage = Stage.ANSWERING;
    exchange.firstByteUs = (plane.driver.nowUs() - exchange.attemptAtUs) & 0x7fffffff;
    if (exchange.isReplayable) exchange.releaseSegments();
    countAnswer(plane, exchange.slot, status);
    noteAnswerLatency(exchange, status);
  }

  finished(exchange: Exchange): void {
    const client = exchange.client;
    invariant(client !== null, 'an answer has a client');
    exchange.server?.letGo();
    client.tally(exchange);
    this.#close(exchange);
    client.finish(exchange);
    this.#recycle(exchange);
  }

  serverFailed(exchange: Exchange, code: FailureCode, sawByte: boolean, side: ServerSide): void {
    if (exchange.failover.rival !== null) {
      // The other try goes on, and may do better.
      if (failureKind(code).countsAgainstServer && !(side.isReused && isClosing(code))) {
        countFailure(this.#plane, slotOf(exchange, side), code);
      }
      if (exchange.trace !== null) exchange.trace.raceCode = code;
      leaveRace(this.#plane, exchange, side);
      return;
    }
    const client = exchange.client;
    invariant(client !== null, 'a failing server still has a client');
    const slot = exchange.slot;
    const wasReused = exchange.server?.isReused === true;
    exchange.server = null;
    exchange.trace?.failed(code);
    this.#releaseSlot(exchange);
    const kind = failureKind(code);
    // A reused link that the server closed at its idle limit says nothing about the server's health.
    const isStaleLink = wasReused && !sawByte && isClosing(code);
    if (kind.countsAgainstServer && !isStaleLink) {
      countFailure(this.#plane, slot, code);
      noteFailureLatency(this.#plane, exchange, slot);
    }
    if (exchange.stage === Stage.ANSWERING) {
      exchange.failure = code;
      client.tally(exchange);
      this.#close(exchange);
      client.abortAnswer(exchange);
      this.#recycle(exchange);
      return;
    }
    if (!sawByte && this.#goesOn(exchange, slot, code, isStaleLink)) return;
    this.#giveUp(exchange, code, !sawByte && maySubmitAgain(this.#plane, exchange, code));
  }

  clientGone(exchange: Exchange, code: FailureCode): void {
    exchange.server?.cancel();
    exchange.server = null;
    exchange.failure = code;
    exchange.client?.tally(exchange);
    this.#close(exchange);
    this.#recycle(exchange);
  }

  withdraw(exchange: Exchange): void {
    if (exchange.failover.isArmed) this.#quiet(exchange);
    exchange.server?.cancel();
    exchange.server = null;
    this.#releaseSlot(exchange);
  }

  endedHere(exchange: Exchange): void {
    const client = exchange.client;
    invariant(client !== null, 'an answer has a client');
    client.tally(exchange);
    this.#close(exchange);
    client.finish(exchange);
    this.#recycle(exchange);
  }

  upgraded(exchange: Exchange, server: ServerSide, leftover: readonly number[]): void {
    const client = exchange.client;
    invariant(client !== null && exchange.pool !== null, 'an upgrade has both its sides');
    if (exchange.failover.isArmed) this.#quiet(exchange);
    exchange.stage = Stage.TUNNEL;
    exchange.status = 101;
    exchange.firstByteUs = (this.#plane.driver.nowUs() - exchange.attemptAtUs) & 0x7fffffff;
    exchange.releaseSegments();
    client.tally(exchange);
    const near = client.surrender();
    const far = server.surrender();
    exchange.server = null;
    const tunnel = new Tunnel(this.#plane, near.link, far, (bytes, failure) => {
      exchange.answerBytes += bytes.toNear;
      exchange.requestBytes += bytes.toFar;
      exchange.failure = failure;
      this.#close(exchange);
      client.forget();
      this.#recycle(exchange);
    });
    client.carriedBy(tunnel, exchange.slot);
    tunnel.start(near.pending, leftover);
    if (near.hasEnded) tunnel.nearEnded();
  }

  /** The first attempt at a pool; where others wait already, behind them. */
  #start(exchange: Exchange, pool: CompiledPool, code: FailureCode): void {
    const { gate } = pool;
    if (pool.hasBreaker && !passesBreaker(this.#plane, exchange, pool)) {
      this.#giveUp(exchange, 'circuit-open', true);
      return;
    }
    if (gate?.isCrowded !== true) this.#attempt(exchange, pool, code);
    else if (!this.#isStoppedByHook(exchange, pool)) this.#enqueue(exchange, gate, code);
  }

  /** Asks the route's `onPick`, once per attempt. True: it failed, and the exchange was answered. */
  #isStoppedByHook(exchange: Exchange, pool: CompiledPool): boolean {
    const { hooked } = exchange;
    if (hooked?.hooks.hasPick !== true) return false;
    const failure = this.#plane.hooks.pick(exchange, hooked, pool);
    if (failure === null) return false;
    unspend(this.#plane, exchange);
    this.#giveUp(exchange, failure, false);
    return true;
  }

  /** Chooses a server and gives it the request. `code`: what to answer when none is left. */
  #attempt(exchange: Exchange, pool: CompiledPool, code: FailureCode): void {
    const plane = this.#plane;
    if (exchange.session !== null && exchange.session.server.slot === exchange.staleSlot) {
      // A session does not move because a reused link had died: a dial tells whether its server lives.
      retryStale(exchange);
    }
    if (this.#isStoppedByHook(exchange, pool)) return;
    let slot = takePlace(plane, exchange, pool);
    if (slot < 0 && exchange.staleSlot >= 0) {
      // Only a reused link of that server died: a fresh one may well work.
      retryStale(exchange);
      slot = takePlace(plane, exchange, pool);
    }
    if (slot < 0) {
      if (slot === ALL_BUSY && pool.gate?.hasQueue === true) {
        this.#enqueue(exchange, pool.gate, code);
        return;
      }
      plane.cells[pool.counters + PoolColumn.NO_SERVER]! += 1;
      unspend(plane, exchange);
      const reason = exchange.attempts === 0 ? pool.eligible.reason : code;
      this.#giveUp(exchange, reason, true);
      return;
    }
    this.#send(exchange, pool, code);
  }

  /** Gives the request to the server whose place the exchange has. */
  #send(exchange: Exchange, pool: CompiledPool, code: FailureCode): void {
    const plane = this.#plane;
    spend(plane, exchange);
    if (exchange.attempts > 0 && failureKind(code).retry === 'always') {
      plane.cells[pool.counters + PoolColumn.FAILOVERS]! += 1;
    }
    exchange.attempts++;
    exchange.attemptAtUs = plane.driver.nowUs();
    exchange.stage = Stage.WAITING;
    const state = exchange.serverState;
    invariant(state !== null, 'a pool knows the servers that it picks');
    if (exchange.failover.rule.hasTimes) this.#clock.startTry(exchange);
    const server = this.#open(exchange, state, pool);
    if (exchange.attempts === 1 && exchange.spilled === null) exchange.flush();
    else {
      exchange.trace?.again();
      exchange.replay();
    }
    // A body that was held back for a server that failed goes on with one that is connected.
    if (server.isConnected && server.waitingBytes <= limits.queueHighBytes) {
      exchange.client?.setBodyPaused(false);
    }
  }

  /** Every server has all that it takes: the request waits for a place. */
  #enqueue(exchange: Exchange, gate: PoolGate, code: FailureCode): void {
    exchange.stage = Stage.PAUSED;
    exchange.failover.code = code;
    this.#clock.watch(exchange);
    if (gate.enter(exchange, this)) return;
    this.#plane.cells[exchange.pool!.counters + PoolColumn.NO_SERVER]! += 1;
    unspend(this.#plane, exchange);
    this.#giveUp(exchange, 'queue-full', true);
  }

  takeTurn(exchange: Exchange): boolean {
    const pool = exchange.pool!;
    if (pool.hasBreaker && !passesBreaker(this.#plane, exchange, pool)) {
      pool.gate!.leave(exchange);
      unspend(this.#plane, exchange);
      this.#giveUp(exchange, 'circuit-open', true);
      return true;
    }
    const slot = takePlace(this.#plane, exchange, pool);
    if (slot === ALL_BUSY) return false;
    pool.gate!.leave(exchange);
    const { code } = exchange.failover;
    if (slot >= 0) this.#send(exchange, pool, code);
    else {
      unspend(this.#plane, exchange);
      this.#giveUp(exchange, exchange.attempts === 0 ? pool.eligible.reason : code, true);
    }
    return true;
  }

  waitedTooLong(exchange: Exchange): void {
    unspend(this.#plane, exchange);
    this.#giveUp(exchange, 'queue-timeout', true);
  }

  #open(exchange: Exchange, state: ServerState, pool: CompiledPool): ServerSide {
    const server = this.#serverFor(exchange, state, pool);
    exchange.server = server;
    server.begin(exchange);
    return server;
  }

  #serverFor(exchange: Exchange, state: ServerState, pool: CompiledPool): ServerSide {
    if (!exchange.needsFreshLink) {
      const idle = state.idle.pop();
      if (idle !== undefined) {
        this.#plane.cells[state.counters + ServerColumn.REUSES]! += 1;
        return idle;
      }
    }
    this.#plane.cells[state.counters + ServerColumn.DIALS]! += 1;
    return new ServerLink(this.#plane, state, pool.pool);
  }

  /** Design §7: nothing submitted → always; submitted → by rule, attempts and budget. False: it ends here. */
  #goesOn(exchange: Exchange, slot: number, code: FailureCode, isStaleLink: boolean): boolean {
    const plane = this.#plane;
    const { retry } = failureKind(code);
    if (retry === 'always' && exchange.pool !== null && exchange.isReplayable) {
      if (plane.driver.now() >= exchange.failover.deadlineAtMs) return false;
      exchange.addTried(slot);
      this.#attempt(exchange, exchange.pool, code);
      return true;
    }
    if (retry !== 'if-idempotent') return false;
    const why = code === 'upstream-timeout' ? 'timeout' : 'reset';
    if (!mayRepeat(plane, exchange, why, isStaleLink)) return false;
    exchange.addTried(slot);
    // Another server first: a process that is being killed resets its links before it stops listening.
    if (isStaleLink) exchange.staleSlot = slot;
    this.#later(exchange, code, isStaleLink ? 0 : pauseMs(plane, exchange, 0));
    return true;
  }

  /** The next try, after a pause unless that is 0 or less. */
  #later(exchange: Exchange, code: FailureCode, pause: number): void {
    if (pause <= 0) {
      this.#attempt(exchange, exchange.pool!, code);
      return;
    }
    exchange.stage = Stage.PAUSED;
    exchange.failover.code = code;
    this.#clock.pause(exchange, pause);
  }

  #timeDue(exchange: Exchange, nowMs: number): void {
    const { failover } = exchange;
    if (nowMs >= failover.deadlineAtMs) {
      this.#countLate(exchange);
      this.withdraw(exchange);
      this.#giveUp(exchange, 'total-timeout', false);
      return;
    }
    if (nowMs >= failover.pauseUntilMs) {
      failover.pauseUntilMs = NEVER;
      this.#clock.watch(exchange);
      this.#attempt(exchange, exchange.pool!, failover.code);
      return;
    }
    if (nowMs >= failover.hedgeAtMs) {
      failover.hedgeAtMs = NEVER;
      if (startRace(this.#plane, exchange)) {
        this.#open(exchange, exchange.serverState!, exchange.pool!);
        exchange.trace?.again();
        exchange.replay();
      }
    }
    if (nowMs >= failover.tryUntilMs) {
      failover.tryUntilMs = NEVER;
      if (this.#leavesTry(exchange)) return;
    }
    this.#clock.watch(exchange);
  }

  /** A try has had its time: it is given up when another one may follow, else it may still answer. */
  #leavesTry(exchange: Exchange): boolean {
    const plane = this.#plane;
    const { server, slot } = exchange;
    if (server === null || server.hasAnswerByte || exchange.failover.rival !== null) return false;
    if (!mayRepeat(plane, exchange, 'timeout', false)) return false;
    countFailure(plane, slot, 'upstream-timeout');
    server.cancel();
    exchange.server = null;
    exchange.trace?.failed('upstream-timeout');
    this.#releaseSlot(exchange);
    exchange.addTried(slot);
    this.#later(exchange, 'upstream-timeout', pauseMs(plane, exchange, 0));
    return true;
  }

  /** The time for all tries is over: that speaks against a server that had half of it or more. */
  #countLate(exchange: Exchange): void {
    if (exchange.server === null) return;
    const triedUs = (this.#plane.driver.nowUs() - exchange.attemptAtUs) & 0x7fffffff;
    if (triedUs < exchange.failover.rule.rule.totalMs * 500) return;
    countFailure(this.#plane, exchange.slot, 'upstream-timeout');
  }

  #quiet(exchange: Exchange): void {
    this.#clock.stop(exchange.failover);
    if (exchange.failover.rival !== null) endRival(this.#plane, exchange);
    if (exchange.failover.waiter !== null) exchange.pool!.gate!.leave(exchange);
    answerBegan(this.#plane, exchange);
    unspend(this.#plane, exchange);
  }

  /** The fallback pool, where there is one and the request may go there, or an answer of ours. */
  #giveUp(exchange: Exchange, code: FailureCode, mayFallBack: boolean): void {
    const pool = mayFallBack ? fallBack(this.#plane, exchange) : null;
    if (pool !== null) {
      exchange.failover.queueUntilMs = NEVER;
      this.#start(exchange, pool, code);
      return;
    }
    exchange.failure = code;
    exchange.client!.answerFailure(exchange, code);
  }

  #releaseSlot(exchange: Exchange): void {
    givePlace(this.#plane, exchange);
  }

  #close(exchange: Exchange): void {
    exchange.server = null;
    if (exchange.failover.isArmed) this.#quiet(exchange);
    if (exchange.plan !== null) exchange.plan.mirror?.ended();
    exchange.releaseSegments();
    // Before its place is given back: only a server with nothing in flight may lose its slot.
    record(this.#plane, exchange);
    this.#releaseSlot(exchange);
  }

  #recycle(exchange: Exchange): void {
    if (exchange.stage === Stage.FREE) return;
    exchange.stage = Stage.FREE;
    if (exchange.hooked !== null) {
      exchange.hooked.end();
      exchange.hooked = null;
    }
    exchange.client = null;
    exchange.pool = null;
    exchange.route = null;
    exchange.plan = null;
    exchange.listener = null;
    const free = this.#plane.freeExchanges;
    if (free.length < FREE_EXCHANGES_MAX) free.push(exchange);
  }
}
