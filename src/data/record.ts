import { bucketOf } from '../base/histogram.ts';
import { invariant } from '../base/invariant.ts';
import {
  EndColumn,
  ListenerColumn,
  PoolColumn,
  RouteColumn,
  reasonIndexOf,
  ServerColumn,
} from '../observe/columns.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/**
 * Counts an ended exchange wherever it belongs, exactly once: its listener, its route, and the server
 * it ended with or else its pool; and asks for its log line. What readers can add up is not written:
 * see observe/columns.
 */
export function record(plane: Plane, exchange: Exchange): void {
  if (exchange.isMirror) {
    recordCopy(plane, exchange);
    return;
  }
  const cells = plane.cells;
  const histograms = plane.histogramCells;
  const listener = exchange.listener!;
  const end = endOf(exchange, exchange.failure !== null && !exchange.isAnsweredHere);
  const us = exchange.totalUs(plane.driver);
  const total = bucketOf(us);
  const firstByte = exchange.firstByteUs < 0 ? -1 : bucketOf(exchange.firstByteUs);
  cells[listener.counters + end]! += 1;
  histograms[listener.totalHistogram + total]! += 1;
  if (firstByte >= 0) histograms[listener.firstByteHistogram + firstByte]! += 1;
  const route = exchange.route;
  if (route !== null) {
    cells[route.counters + end]! += 1;
    cells[route.counters + RouteColumn.BYTES_IN]! += exchange.requestBytes;
    cells[route.counters + RouteColumn.BYTES_OUT]! += exchange.answerBytes;
    histograms[route.totalHistogram + total]! += 1;
    const { slot } = route.route;
    if (us > plane.slow.leastUs[slot]!) plane.slow.note(plane, exchange, slot, us);
    if (firstByte >= 0) histograms[route.firstByteHistogram + firstByte]! += 1;
  }
  if (exchange.connectUs >= 0) recordConnect(histograms, exchange);
  if (exchange.pool !== null && exchange.lastSlot >= 0) {
    recordServer(plane, exchange, end, total, firstByte);
  } else recordWithoutServer(plane, exchange, end, total);
  if (exchange.failure !== null) recordReason(cells, exchange);
  if (plane.hasAccessLog) plane.log(exchange);
}

/** An answer that was begun and not completed counts as aborted, whatever its status was. */
function endOf({ status }: Exchange, isCut: boolean): number {
  return status === 0 || isCut ? EndColumn.ABORTED : EndColumn.S1XX + ((status / 100) | 0) - 1;
}

/** A copy counts in its server, or in its pool without one: no client and no route had it. */
function recordCopy(plane: Plane, exchange: Exchange): void {
  const pool = exchange.pool;
  invariant(pool !== null, 'a copy goes to a pool');
  const end = endOf(exchange, exchange.failure !== null);
  const total = bucketOf(exchange.totalUs(plane.driver));
  if (exchange.lastSlot >= 0) {
    const firstByte = exchange.firstByteUs < 0 ? -1 : bucketOf(exchange.firstByteUs);
    recordServer(plane, exchange, end, total, firstByte);
    return;
  }
  plane.cells[pool.counters + end]! += 1;
  plane.histogramCells[pool.totalHistogram + total]! += 1;
}

/** The server that had the exchange last; its pool is the sum of its servers. */
function recordServer(
  plane: Plane,
  exchange: Exchange,
  end: number,
  total: number,
  firstByte: number,
): void {
  const server = exchange.serverState;
  invariant(server !== null, 'the server that was picked is known');
  const cells = plane.cells;
  cells[server.counters + end]! += 1;
  if (exchange.retries > 0) cells[server.counters + ServerColumn.RETRIES]! += 1;
  if (firstByte >= 0) plane.histogramCells[server.firstByteHistogram + firstByte]! += 1;
  plane.histogramCells[server.totalHistogram + total]! += 1;
}

/** Counted where it would be missing: the sums over servers and over their owners must meet. */
function recordWithoutServer(plane: Plane, exchange: Exchange, end: number, total: number): void {
  const { listener, route, pool } = exchange;
  const cells = plane.cells;
  cells[listener!.counters + ListenerColumn.WITHOUT_SERVER]! += 1;
  if (route !== null) cells[route.counters + RouteColumn.WITHOUT_SERVER]! += 1;
  if (pool === null) return;
  cells[pool.counters + end]! += 1;
  plane.histogramCells[pool.totalHistogram + total]! += 1;
}

/** Its last dial; the server counted it when it was connected. */
function recordConnect(histograms: Uint32Array, { listener, route, connectUs }: Exchange): void {
  const bucket = bucketOf(connectUs);
  histograms[listener!.connectHistogram + bucket]! += 1;
  if (route !== null) histograms[route.connectHistogram + bucket]! += 1;
}

function recordReason(cells: Float64Array, exchange: Exchange): void {
  const { listener, route, pool } = exchange;
  const reason = reasonIndexOf(exchange.failure!);
  cells[listener!.counters + ListenerColumn.REASONS + reason]! += 1;
  if (route !== null) cells[route.counters + RouteColumn.REASONS + reason]! += 1;
  if (pool === null) return;
  if (exchange.lastSlot < 0) cells[pool.counters + PoolColumn.REASONS + reason]! += 1;
  else cells[exchange.serverState!.counters + ServerColumn.REASONS + reason]! += 1;
}
