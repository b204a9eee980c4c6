import { choose } from '../balance/choose.ts';
import { ALL_BUSY } from '../balance/policy.ts';
import { release } from '../balance/reserve.ts';
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
    if (slot < 0) {
      if (gate !== null) gate.givePlace(exchange);
      return slot;
    }
    const state = pool.servers.get(slot);
    if (state !== undefined && state.target !== null) {
      exchange.serverState = state;
      exchange.slot = slot;
      exchange.lastSlot = slot;
      return slot;
    }
    // Its name became unresolved after this table was compiled: nothing to dial.
    release(plane.words, plane.worker, slot);
    exchange.addTried(slot);
  }
}

/** Gives the exchange's place back, if it has one, and lets the next waiter have its turn. */
export function givePlace(plane: Plane, exchange: Exchange): void {
  if (exchange.slot < 0) return;
  release(plane.words, plane.worker, exchange.slot);
  exchange.slot = -1;
  const gate = exchange.pool!.gate;
  if (gate !== null) {
    gate.givePlace(exchange);
    gate.freed();
  }
}
