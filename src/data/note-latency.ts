import { isFailingStatus } from '../health/streak.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/** An answer's head arrived: what its server took goes into the books of a pool that goes by it. */
export function noteAnswerLatency(exchange: Exchange, status: number): void {
  const latency = exchange.pool?.latency ?? null;
  if (latency === null) return;
  if (isFailingStatus(status)) latency.observeFailure(exchange.slot, exchange.firstByteUs);
  else latency.observe(exchange.slot, exchange.firstByteUs);
}

/** The attempt at `slot` failed, for which its server is to blame. */
export function noteFailureLatency(plane: Plane, exchange: Exchange, slot: number): void {
  const latency = exchange.pool?.latency ?? null;
  if (latency === null) return;
  latency.observeFailure(slot, (plane.driver.nowUs() - exchange.attemptAtUs) & 0x7fffffff);
}
