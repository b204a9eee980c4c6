import { type FailureCode, failureKind } from '../model/failure.ts';
import { RouteColumn } from '../observe/columns.ts';
import { Act } from './acts.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';
import type { CompiledPool } from './table.ts';

/**
 * May a request that failed with this go to another pool? Only what may be repeated: nothing of it was
 * submitted, or repeating it is harmless; and no byte of an answer was seen.
 */
export function maySubmitAgain(plane: Plane, exchange: Exchange, code: FailureCode): boolean {
  const { failover } = exchange;
  const { retry } = failureKind(code);
  if (retry === 'no' || plane.driver.now() >= failover.deadlineAtMs) return false;
  return retry === 'always' || exchange.isIdempotent || failover.rule.rule.repeatsUnsafe;
}

/**
 * Moves an exchange that its pool could not serve to the fallback pool of its route, once. Null when there
 * is none, or it had its turn, or the request is no longer there.
 */
export function fallBack(plane: Plane, exchange: Exchange): CompiledPool | null {
  const { route } = exchange;
  const pool = route === null || route.actions === null ? null : route.actions.fallback;
  if (pool === null || !exchange.isReplayable || (exchange.acts & Act.FELL_BACK) !== 0) return null;
  exchange.acts |= Act.FELL_BACK;
  exchange.pool = pool;
  exchange.failover.isTrial = false;
  exchange.triedCount = 0;
  exchange.staleSlot = -1;
  exchange.needsFreshLink = false;
  // It ends in the books of the fallback pool: a server of the other one is none of its servers.
  exchange.lastSlot = -1;
  exchange.serverState = null;
  // Its session is with a server of the other pool.
  exchange.session = null;
  plane.cells[route!.counters + RouteColumn.FALLBACKS]! += 1;
  return pool;
}
