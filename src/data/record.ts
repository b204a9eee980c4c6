import { bucketOf } from '../base/histogram.ts';
import { invariant } from '../base/invariant.ts';
import {
  ListenerColumn,
  PoolColumn,
  RouteColumn,
  reasonIndexOf,
  ServerColumn,
} from '../observe/columns.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/**
 * Counts an ended exchange wherever it belongs, exactly once: its listener, its route, its pool, the
 * server it ended with, its reason; and asks for its log line.
 */
export function record(plane: Plane, exchange: Exchange): void {
  const cells = plane.cells;
  const listener = exchange.listener!;
  if (exchange.isMirror) {
    recordCopy(plane, exchange);
    return;
  }
  const status = exchange.status;
  // An answer that was begun and not completed counts as aborted, whatever its status was.
  const isAborted = status === 0 || (exchange.failure !== null && !exchange.isAnsweredHere);
  const klass = isAborted ? 0 : (status / 100) | 0;
  const us = exchange.totalUs(plane.driver);
  const bucket = bucketOf(us);
  cells[listener.counters + ListenerColumn.REQUESTS]! += 1;
  cells[
    listener.counters + (klass > 0 ? ListenerColumn.S1XX + klass - 1 : ListenerColumn.ABORTED)
  ]! += 1;
  const route = exchange.route;
  if (route !== null) {
    cells[route.counters + RouteColumn.REQUESTS]! += 1;
    cells[route.counters + (klass > 0 ? RouteColumn.S1XX + klass - 1 : RouteColumn.ABORTED)]! += 1;
    cells[route.counters + RouteColumn.BYTES_IN]! += exchange.requestBytes;
    cells[route.counters + RouteColumn.BYTES_OUT]! += exchange.answerBytes;
    plane.histogramCells[route.histogram + bucket]! += 1;
  }
  const pool = exchange.pool;
  if (pool !== null) {
    cells[pool.counters + PoolColumn.REQUESTS]! += 1;
    cells[pool.counters + (klass > 0 ? PoolColumn.S1XX + klass - 1 : PoolColumn.ABORTED)]! += 1;
    plane.histogramCells[pool.histogram + bucket]! += 1;
  }
  if (pool !== null && exchange.lastSlot >= 0) recordServer(plane, exchange, klass, us);
  else recordWithoutServer(cells, exchange);
  if (exchange.failure !== null) {
    cells[plane.counters.reason(reasonIndexOf(exchange.failure))]! += 1;
  }
  if (plane.hasAccessLog) plane.log(exchange);
}

/** A copy counts in its pool and its server: no client and no route had it. */
function recordCopy(plane: Plane, exchange: Exchange): void {
  const cells = plane.cells;
  const pool = exchange.pool;
  invariant(pool !== null, 'a copy goes to a pool');
  const klass = exchange.failure === null ? (exchange.status / 100) | 0 : 0;
  const us = exchange.totalUs(plane.driver);
  cells[pool.counters + PoolColumn.REQUESTS]! += 1;
  cells[pool.counters + (klass > 0 ? PoolColumn.S1XX + klass - 1 : PoolColumn.ABORTED)]! += 1;
  plane.histogramCells[pool.histogram + bucketOf(us)]! += 1;
  if (exchange.lastSlot >= 0) recordServer(plane, exchange, klass, us);
  else cells[pool.counters + PoolColumn.WITHOUT_SERVER]! += 1;
}

function recordServer(plane: Plane, exchange: Exchange, klass: number, us: number): void {
  const server = exchange.serverState;
  invariant(server !== null, 'the server that was picked is known');
  const cells = plane.cells;
  cells[server.counters + ServerColumn.REQUESTS]! += 1;
  cells[server.counters + (klass > 0 ? ServerColumn.S1XX + klass - 1 : ServerColumn.ABORTED)]! += 1;
  if (exchange.retries > 0) cells[server.counters + ServerColumn.RETRIES]! += 1;
  if (exchange.firstByteUs >= 0) {
    plane.histogramCells[server.firstByteHistogram + bucketOf(exchange.firstByteUs)]! += 1;
  }
  plane.histogramCells[server.totalHistogram + bucketOf(us)]! += 1;
}

/** Counted where it would be missing: the sums over servers and over their owners must meet. */
function recordWithoutServer(cells: Float64Array, exchange: Exchange): void {
  const { listener, route, pool } = exchange;
  cells[listener!.counters + ListenerColumn.WITHOUT_SERVER]! += 1;
  if (route !== null) cells[route.counters + RouteColumn.WITHOUT_SERVER]! += 1;
  if (pool !== null) cells[pool.counters + PoolColumn.WITHOUT_SERVER]! += 1;
}
