import { refund, tryWithdraw } from '../limit/retry-budget.ts';
import { limits } from '../model/limits.ts';
import { PoolColumn } from '../observe/columns.ts';
import type { Exchange } from './exchange.ts';
import { pickRequestOf } from './pick-request.ts';
import type { Plane } from './plane.ts';

/** Why a try is to be repeated that had been submitted. */
export type Repeating = 'reset' | 'timeout' | 'answer';

/**
 * May the request, which its server has had, go to another one? Takes a retry out of the budget when it may.
 * `isStale`: only a reused link of its server died, and a fresh one to the same server is as good as another.
 */
export function mayRepeat(
  plane: Plane,
  exchange: Exchange,
  why: Repeating,
  isStale: boolean,
): boolean {
  const { failover, pool } = exchange;
  const { rule } = failover.rule;
  if (pool === null || !exchange.isReplayable) return false;
  if (!exchange.isIdempotent && !rule.repeatsUnsafe) return false;
  // The keep-alive race is ours to absorb: its first repeat costs budget, but none of the user's attempts.
  const isFree = isStale && !exchange.hadStaleLink;
  if (isStale) exchange.hadStaleLink = true;
  if (!isFree && why === 'reset' && !rule.isOnReset) return false;
  if (why === 'timeout' && !rule.isOnTimeout) return false;
  if (plane.driver.now() >= failover.deadlineAtMs) return false;
  if (!isFree && exchange.retries >= rule.attempts) {
    plane.cells[pool.counters + PoolColumn.RETRIES_DENIED]! += 1;
    return false;
  }
  // Before the budget: where no other server is left, nothing is spent on finding that out.
  if (!isStale && !hasAnother(plane, exchange)) return false;
  if (!tryWithdraw(plane.words.retryTokens, pool.pool.slot)) {
    plane.cells[pool.counters + PoolColumn.RETRIES_DENIED]! += 1;
    return false;
  }
  failover.isCharged = true;
  if (!isFree) exchange.retries++;
  return true;
}

/** The attempt to come found no server: its retry goes back into the budget. */
export function unspend(plane: Plane, exchange: Exchange): void {
  if (!exchange.failover.isCharged) return;
  exchange.failover.isCharged = false;
  refund(plane.words.retryTokens, exchange.pool!.pool.slot);
}

/** The attempt to come is made. */
export function spend(plane: Plane, exchange: Exchange): void {
  if (!exchange.failover.isCharged) return;
  exchange.failover.isCharged = false;
  plane.cells[exchange.pool!.counters + PoolColumn.RETRIES]! += 1;
}

/**
 * Milliseconds until the next try: random up to a bound that doubles with each ("full jitter": Brooker,
 * "Exponential backoff and jitter", AWS 2015), at least what the server asked for. -1: that is too long to wait.
 */
export function pauseMs(plane: Plane, exchange: Exchange, askedMs: number): number {
  const { failover, retries } = exchange;
  const { backoffBaseMs, backoffMaxMs, honoursRetryAfter } = failover.rule.rule;
  const asked = honoursRetryAfter ? askedMs : 0;
  if (asked > limits.retryAfterMsMax) return -1;
  const bound = Math.min(backoffMaxMs, backoffBaseMs * 2 ** Math.max(0, retries - 1));
  const pause = Math.max(asked, plane.random() * bound);
  return plane.driver.now() + pause >= failover.deadlineAtMs ? -1 : pause;
}

/** Is there a server that this exchange has not tried, with a place or with a queue before it? Nothing changes. */
function hasAnother(plane: Plane, exchange: Exchange): boolean {
  const { eligible, gate } = exchange.pool!;
  exchange.addTried(exchange.lastSlot);
  const may = eligible.hasOther(pickRequestOf(plane, exchange), gate?.hasQueue === true);
  exchange.removeTried(exchange.lastSlot);
  return may;
}
