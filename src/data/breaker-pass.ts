import { Admission, admission, isBreakerOpen } from '../health/breaker.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';
import type { CompiledPool } from './table.ts';

/**
 * May the exchange go to the pool as far as its breaker is concerned? Asked when it begins there, and again when it
 * has its turn after a wait: what was let in before may no longer be wanted. While the breaker is half open it needs
 * a trial, which it keeps while it waits. Only for pools that have a breaker.
 */
export function passesBreaker(plane: Plane, exchange: Exchange, pool: CompiledPool): boolean {
  const { failover } = exchange;
  const { breaker } = plane.words;
  const { slot } = pool.pool;
  if (failover.isTrial) return !isBreakerOpen(breaker, slot);
  const outcome = admission(breaker, slot);
  failover.isTrial = outcome === Admission.TRIAL;
  return outcome !== Admission.REFUSED;
}
