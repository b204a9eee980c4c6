import { choose, chooseSpare } from '../balance/choose.ts';
import { ALL_BUSY, NONE } from '../balance/policy.ts';
import { release, releasePending } from '../balance/reserve.ts';
import type { Exchange } from './exchange.ts';
import { pickRequestOf } from './pick-request.ts';
import type { Plane } from './plane.ts';
import type { CompiledPool } from './table.ts';

/**
 * Reserves a server of the pool that can be dialled, notes it in the exchange and returns its slot; `NONE` or
 * `ALL_BUSY` when there is none, and then `pool.eligible.reason` says why.
 */
export function takePlace(plane: Plane, exchange: Exchange, pool: CompiledPool): number {
  const { gate } = pool;
  if (gate !== null && !gate.takePlace(exchange)) {
    pool.eligible.reason = 'pool-limit-reached';
    return ALL_BUSY;
  }
  for (;;) {
    const request = pickRequestOf(plane, exchange);
    let slot = -1;
    if (exchange.session !== null && pool.sticky !== null) {
      slot = pool.sticky.claim(exchange.session, request);
    }
    if (slot < 0) slot = choose(pool.eligible, request);
    // Where only a reused link died its server is asked again first: backups are for servers that fail.
    if (slot === NONE && exchange.staleSlot < 0) slot = chooseSpare(pool.eligible, request);
    if (slot < 0) {
      if (gate !== null) gate.givePlace(exchange);
      return slot;
    }
    const state = pool.servers.get(slot);
    if (state !== undefined && state.target !== null) {
      if (pool.eligible.pendingMaxOf(slot) > 0) notePending(exchange, slot);
      exchange.serverState = state;
      exchange.slot = slot;
      exchange.lastSlot = slot;
      return slot;
    }
    // Its name became unresolved after this table was compiled: nothing to dial.
    giveUnused(plane, pool, slot);
    exchange.addTried(slot);
  }
}

/** Gives the exchange's place back, if it has one, and lets the next waiter have its turn. */
export function givePlace(plane: Plane, exchange: Exchange): void {
  if (exchange.slot < 0) return;
  release(plane.words, plane.worker, exchange.slot);
  exchange.slot = -1;
  const { failover } = exchange;
  if (failover.pendingSlot >= 0) {
    releasePending(plane.words, plane.worker, failover.pendingSlot);
    failover.pendingSlot = -1;
  }
  const gate = exchange.pool!.gate;
  if (gate !== null) {
    gate.givePlace(exchange);
    gate.freed();
  }
}

/** Its server counts it among its unanswered exchanges, until `answerBegan` or the end. */
export function notePending(exchange: Exchange, slot: number): void {
  exchange.failover.pendingSlot = slot;
  // Makes the conductor look when the answer comes; other exchanges pay nothing.
  exchange.failover.isArmed = true;
}

/** The server has answered, or there is a tunnel: it may be given another exchange to answer. */
export function answerBegan(plane: Plane, exchange: Exchange): void {
  const { failover } = exchange;
  if (failover.pendingSlot < 0) return;
  releasePending(plane.words, plane.worker, failover.pendingSlot);
  failover.pendingSlot = -1;
  exchange.pool!.gate?.freedSoon();
}

/** Gives back what `choose` had reserved and nobody used. */
export function giveUnused(plane: Plane, pool: CompiledPool, slot: number): void {
  release(plane.words, plane.worker, slot);
  if (pool.eligible.pendingMaxOf(slot) > 0) releasePending(plane.words, plane.worker, slot);
}
