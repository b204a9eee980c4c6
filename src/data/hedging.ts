import { choose } from '../balance/choose.ts';
import { release, releasePending } from '../balance/reserve.ts';
import { invariant } from '../base/invariant.ts';
import { refund, tryWithdraw } from '../limit/retry-budget.ts';
import { PoolColumn } from '../observe/columns.ts';
import { Act } from './acts.ts';
import { type Exchange, type ServerSide, Stage } from './exchange.ts';
import { pickRequestOf } from './pick-request.ts';
import { giveUnused, notePending } from './places.ts';
import type { Plane } from './plane.ts';

/*
 * Two tries of one request at a time: the exchange's own, which is the later one, and its rival. The first good answer
 * wins, the other try is cancelled; one that fails leaves the race to the other.
 */

/**
 * Reserves another server for a second try and makes the present one its rival; the caller opens the new one. False when
 * there is nothing to hedge, no budget or no server: all stays as it was.
 */
export function startRace(plane: Plane, exchange: Exchange): boolean {
  const { failover, pool, server, slot } = exchange;
  const state = exchange.serverState;
  if (pool === null || server === null || state === null || !mayRace(exchange, server))
    return false;
  const { retryTokens } = plane.words;
  if (!tryWithdraw(retryTokens, pool.pool.slot)) {
    plane.cells[pool.counters + PoolColumn.RETRIES_DENIED]! += 1;
    return false;
  }
  exchange.addTried(slot);
  const second = choose(pool.eligible, pickRequestOf(plane, exchange));
  const secondState = second < 0 ? undefined : pool.servers.get(second);
  if (secondState === undefined || secondState.target === null) {
    if (second >= 0) giveUnused(plane, pool, second);
    exchange.removeTried(slot);
    refund(retryTokens, pool.pool.slot);
    return false;
  }
  const isPending = failover.pendingSlot >= 0;
  failover.rival = { server, slot, state, attemptAtUs: exchange.attemptAtUs, isPending };
  failover.pendingSlot = -1;
  if (pool.eligible.pendingMaxOf(second) > 0) notePending(exchange, second);
  failover.hedges++;
  exchange.trace?.race();
  exchange.acts |= Act.HEDGED;
  exchange.slot = second;
  exchange.lastSlot = second;
  exchange.serverState = secondState;
  exchange.attempts++;
  exchange.attemptAtUs = plane.driver.nowUs();
  plane.cells[pool.counters + PoolColumn.HEDGES]! += 1;
  return true;
}

/** Slot of one of the two tries. */
export function slotOf(exchange: Exchange, side: ServerSide): number {
  const { rival } = exchange.failover;
  return rival !== null && rival.server === side ? rival.slot : exchange.slot;
}

/** This try answers: it becomes the exchange's own, the other one is cancelled. */
export function winRace(plane: Plane, exchange: Exchange, side: ServerSide): void {
  const { rival } = exchange.failover;
  invariant(rival !== null, 'a race has two sides');
  if (rival.server !== side) {
    plane.cells[exchange.pool!.counters + PoolColumn.HEDGES_WON]! += 1;
    exchange.acts |= Act.HEDGE_WON;
    endRival(plane, exchange);
    return;
  }
  exchange.server?.cancel();
  becomeOwn(plane, exchange);
}

/** This try has failed and is over: the other one is the exchange's own from now on. */
export function leaveRace(plane: Plane, exchange: Exchange, side: ServerSide): void {
  const { rival } = exchange.failover;
  invariant(rival !== null, 'a race has two sides');
  if (rival.server !== side) {
    exchange.addTried(exchange.slot);
    becomeOwn(plane, exchange);
    return;
  }
  exchange.failover.rival = null;
  exchange.trace?.rivalLeft(rival.attemptAtUs, rival.state);
  giveBack(plane, exchange, rival.slot, rival.isPending);
}

/** The rival is cancelled. */
export function endRival(plane: Plane, exchange: Exchange): void {
  const { rival } = exchange.failover;
  if (rival === null) return;
  exchange.failover.rival = null;
  exchange.trace?.rivalLeft(rival.attemptAtUs, rival.state);
  rival.server.cancel();
  giveBack(plane, exchange, rival.slot, rival.isPending);
}

/** Only what may be sent twice and is here as a whole; never where places are counted for the whole pool or waited for. */
function mayRace(exchange: Exchange, server: ServerSide): boolean {
  return (
    exchange.stage === Stage.WAITING &&
    exchange.failover.rival === null &&
    exchange.isIdempotent &&
    exchange.isRequestComplete &&
    exchange.isReplayable &&
    !exchange.wantsUpgrade &&
    // A hook may hold one answer while the other one comes.
    exchange.hooked === null &&
    !server.hasAnswerByte &&
    exchange.pool!.gate === null
  );
}

function becomeOwn(plane: Plane, exchange: Exchange): void {
  const { failover, slot } = exchange;
  const { rival } = failover;
  invariant(rival !== null, 'a race has two sides');
  failover.rival = null;
  exchange.trace?.ownLeft();
  exchange.server = rival.server;
  exchange.slot = rival.slot;
  exchange.lastSlot = rival.slot;
  exchange.serverState = rival.state;
  exchange.attemptAtUs = rival.attemptAtUs;
  exchange.removeTried(rival.slot);
  const wasPending = failover.pendingSlot >= 0;
  failover.pendingSlot = rival.isPending ? rival.slot : -1;
  giveBack(plane, exchange, slot, wasPending);
}

function giveBack(plane: Plane, exchange: Exchange, slot: number, isPending: boolean): void {
  release(plane.words, plane.worker, slot);
  if (isPending) releasePending(plane.words, plane.worker, slot);
  exchange.pool!.gate?.freed();
}
