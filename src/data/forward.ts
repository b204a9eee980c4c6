import { choose } from '../balance/choose.ts';
import { release } from '../balance/reserve.ts';
import { invariant } from '../base/invariant.ts';
import { deposit, tryWithdraw } from '../limit/retry-budget.ts';
import { type FailureCode, failureKind } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import { PoolColumn, ServerColumn } from '../observe/columns.ts';
import type { Exchange, ServerSide } from './exchange.ts';
import { Stage } from './exchange.ts';
import { countAnswer, countFailure } from './failure-streak.ts';
import type { Conductor, Plane } from './plane.ts';
import { record } from './record.ts';
import { ServerLink } from './server-link.ts';
import type { ServerState } from './server-state.ts';
import type { CompiledPool } from './table.ts';
import { Tunnel } from './tunnel.ts';

/** Free exchanges kept for reuse; a burst's surplus goes to the garbage collector. */
const FREE_EXCHANGES_MAX = 4_096;
/**
 * Conducts exchanges: choose → reuse or dial → relay → on failure decide → record.
 *
 *   CHOOSING ──slot──▶ WAITING ──final head──▶ ANSWERING ──last byte──▶ recorded, FREE
 *      ▲                  │ failure                  └── failure: the answer is cut, recorded
 *      └──── may repeat ──┴──── may not: an answer of ours, recorded
 */
export class Forward implements Conductor {
  readonly #plane: Plane;

  constructor(plane: Plane) {
    this.#plane = plane;
  }

  begin(exchange: Exchange): void {
    const pool = exchange.pool;
    invariant(pool !== null, 'an exchange that begins has its pool');
    if (pool.depositThousandths > 0) {
      deposit(this.#plane.words.retryTokens, pool.pool.slot, pool.depositThousandths);
    }
    if (exchange.isBroken) {
      exchange.failure = 'buffers-exhausted';
      exchange.client!.answerFailure(exchange, 'buffers-exhausted');
      return;
    }
    this.#attempt(exchange, pool, 'no-server-available');
  }

  answered(exchange: Exchange, status: number): void {
    const plane = this.#plane;
    exchange.stage = Stage.ANSWERING;
    exchange.firstByteUs = (plane.driver.nowUs() - exchange.attemptAtUs) & 0x7fffffff;
    if (exchange.isReplayable) exchange.releaseSegments();
    countAnswer(plane, exchange.slot, status);
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

  serverFailed(exchange: Exchange, code: FailureCode, sawByte: boolean): void {
    const client = exchange.client;
    invariant(client !== null, 'a failing server still has a client');
    const slot = exchange.slot;
    const wasReused = exchange.server?.isReused === true;
    exchange.server = null;
    this.#releaseSlot(exchange);
    const kind = failureKind(code);
    // A reused link that the server closed at its idle limit says nothing about the server's health.
    const isStaleLink = wasReused && kind.retry === 'if-idempotent' && !sawByte;
    if (kind.countsAgainstServer && !isStaleLink) countFailure(this.#plane, slot, code);
    if (exchange.stage === Stage.ANSWERING) {
      exchange.failure = code;
      client.tally(exchange);
      this.#close(exchange);
      client.abortAnswer(exchange);
      this.#recycle(exchange);
      return;
    }
    if (this.#mayRepeat(exchange, code, sawByte, isStaleLink)) {
      exchange.addTried(slot);
      // Another server first: a process that is being killed resets its links before it stops listening.
      if (isStaleLink) exchange.staleSlot = slot;
      this.#attempt(exchange, exchange.pool!, code);
      return;
    }
    exchange.failure = code;
    client.answerFailure(exchange, code);
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
    tunnel.start(near.pending, leftover);
    if (near.hasEnded) tunnel.nearEnded();
  }

  /** Chooses a server and gives it the request. `code`: what to answer when none is left. */
  #attempt(exchange: Exchange, pool: CompiledPool, code: FailureCode): void {
    const plane = this.#plane;
    let slot = this.#choose(exchange, pool);
    if (slot < 0 && exchange.staleSlot >= 0) {
      // Only a reused link of that server died: a fresh one may well work.
      exchange.removeTried(exchange.staleSlot);
      exchange.staleSlot = -1;
      exchange.needsFreshLink = true;
      slot = this.#choose(exchange, pool);
    }
    if (slot < 0) {
      plane.cells[pool.counters + PoolColumn.NO_SERVER]! += 1;
      const reason = exchange.attempts === 0 ? pool.eligible.reason : code;
      exchange.failure = reason;
      exchange.client!.answerFailure(exchange, reason);
      return;
    }
    if (exchange.attempts > 0 && failureKind(code).retry === 'always') {
      plane.cells[pool.counters + PoolColumn.FAILOVERS]! += 1;
    }
    exchange.slot = slot;
    exchange.lastSlot = slot;
    exchange.attempts++;
    exchange.attemptAtUs = plane.driver.nowUs();
    exchange.stage = Stage.WAITING;
    const state = exchange.serverState;
    invariant(state !== null, 'a pool knows the servers that it picks');
    plane.cells[state.counters + ServerColumn.ATTEMPTS]! += 1;
    const server = this.#serverFor(exchange, state, pool);
    exchange.server = server;
    server.begin(exchange);
    if (exchange.attempts === 1) exchange.flush();
    else exchange.replay();
    // A body that was held back for a server that failed goes on with one that is connected.
    if (server.isConnected && server.waitingBytes <= limits.queueHighBytes) {
      exchange.client?.setBodyPaused(false);
    }
  }

  /** Reserves a server that can be dialled and notes its state; negative when there is none. */
  #choose(exchange: Exchange, pool: CompiledPool): number {
    const plane = this.#plane;
    const request = plane.pickRequest;
    request.addressHash = exchange.addressHash;
    for (;;) {
      request.tried = exchange.tried;
      request.triedCount = exchange.triedCount;
      const slot = choose(pool.eligible, request);
      if (slot < 0) return slot;
      const state = pool.servers.get(slot);
      if (state !== undefined && state.target !== null) {
        exchange.serverState = state;
        return slot;
      }
      // Its name became unresolved after this table was compiled: nothing to dial.
      release(plane.words, plane.worker, slot);
      exchange.addTried(slot);
    }
  }

  #serverFor(exchange: Exchange, state: ServerState, pool: CompiledPool): ServerSide {
    if (!exchange.needsFreshLink) {
      const idle = state.idle.pop();
      if (idle !== undefined) {
        this.#plane.cells[state.counters + ServerColumn.REUSES]! += 1;
        return idle;
      }
    }
    return new ServerLink(this.#plane, state, pool.pool);
  }

  /** Design §7: nothing submitted → always; no answer byte → when idempotent, within attempts and budget; else never. */
  #mayRepeat(
    exchange: Exchange,
    code: FailureCode,
    sawByte: boolean,
    isStaleLink: boolean,
  ): boolean {
    const rule = failureKind(code).retry;
    const pool = exchange.pool;
    if (rule === 'no' || sawByte || pool === null || !exchange.isReplayable) return false;
    const cells = this.#plane.cells;
    if (rule === 'always') return true;
    if (!exchange.isIdempotent) return false;
    // The keep-alive race is ours to absorb: its first repeat costs budget, but none of the user's attempts.
    const isFree = isStaleLink && !exchange.hadStaleLink;
    const isAllowed =
      (isFree || exchange.retries < pool.pool.retry.attempts) &&
      tryWithdraw(this.#plane.words.retryTokens, pool.pool.slot);
    cells[pool.counters + (isAllowed ? PoolColumn.RETRIES : PoolColumn.RETRIES_DENIED)]! += 1;
    if (isStaleLink) exchange.hadStaleLink = true;
    if (isAllowed && !isFree) exchange.retries++;
    return isAllowed;
  }

  #releaseSlot(exchange: Exchange): void {
    if (exchange.slot < 0) return;
    release(this.#plane.words, this.#plane.worker, exchange.slot);
    exchange.slot = -1;
  }

  #close(exchange: Exchange): void {
    exchange.server = null;
    exchange.releaseSegments();
    // Before its place is given back: only a server with nothing in flight may lose its slot.
    record(this.#plane, exchange);
    this.#releaseSlot(exchange);
  }

  #recycle(exchange: Exchange): void {
    if (exchange.stage === Stage.FREE) return;
    exchange.stage = Stage.FREE;
    exchange.client = null;
    exchange.pool = null;
    exchange.route = null;
    exchange.listener = null;
    const free = this.#plane.freeExchanges;
    if (free.length < FREE_EXCHANGES_MAX) free.push(exchange);
  }
}
