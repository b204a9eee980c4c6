import { limits } from '../model/limits.ts';
import type { SharedBuffers } from '../model/shared-memory.ts';
import {
  type Column,
  EndColumn,
  ListenerColumn,
  listenerColumns,
  poolColumns,
  RouteColumn,
  routeColumns,
  serverColumns,
} from './columns.ts';

/** Whose counters: each owner has `limits` slots with its columns. */
export type CounterOwner = 'listener' | 'route' | 'pool' | 'server';

interface Section {
  readonly start: number;
  /** Columns in use. */
  readonly width: number;
  /** Cells from one slot to the next: whole cache lines of eight cells, so that the first eight columns share one. */
  readonly stride: number;
}

const strideOf = (columns: readonly Column[]): number => (columns.length + 7) & ~7;

function sectionAt(start: number, columns: readonly Column[]): Section {
  return { start, width: columns.length, stride: strideOf(columns) };
}

const listeners = sectionAt(0, listenerColumns);
const routes = sectionAt(listeners.start + limits.listeners * listeners.stride, routeColumns);
const pools = sectionAt(routes.start + limits.routes * routes.stride, poolColumns);
const servers = sectionAt(pools.start + limits.pools * pools.stride, serverColumns);
/** One line more between the rows of two workers. */
const ROW = servers.start + limits.serverSlots * servers.stride + 8;

const sections: Readonly<Record<CounterOwner, Section>> = {
  listener: listeners,
  route: routes,
  pool: pools,
  server: servers,
};

/** Float64 cells that `allocateShared` must provide as `counterCount`. */
export function counterCount(workers: number): number {
  return workers * ROW;
}

/**
 * One worker's counters. The hot path keeps base indexes and adds to `cells` itself:
 *
 *     writer.cells[serverBase + ServerColumn.REUSES]! += 1;
 *
 * Shape: a row per worker: listeners | routes | pools | servers, each slot with its columns in order.
 * One writer per row and plain writes: a reader may see a sum that is a moment old, never a torn one
 * (64-bit cells are written whole on the 64-bit machines that Node 22 runs on).
 */
export class CounterWriter {
  /** This worker's row. */
  readonly cells: Float64Array;

  constructor(buffers: SharedBuffers, worker: number) {
    this.cells = new Float64Array(buffers.counters, worker * ROW * 8, ROW);
  }

  /** Index of a listener's first column in `cells`. */
  listener(slot: number): number {
    return listeners.start + slot * listeners.stride;
  }

  /** Index of a route's first column. */
  route(slot: number): number {
    return routes.start + slot * routes.stride;
  }

  /** Index of a pool's first column. */
  pool(slot: number): number {
    return pools.start + slot * pools.stride;
  }

  /** Index of a server's first column. */
  server(slot: number): number {
    return servers.start + slot * servers.stride;
  }
}

/** Exchanges that ended, by the columns of one slot. */
export function endedOf(values: readonly number[]): number {
  let ended = 0;
  for (let column = EndColumn.S1XX; column <= EndColumn.ABORTED; column++) {
    ended += values[column] ?? 0;
  }
  return ended;
}

/**
 * What a dead worker had begun will not end any more: its exchanges in flight are taken off. Only
 * after its thread has ended, since it is the only other writer of its row. Cost: one pass over its
 * listeners and routes.
 */
export function settleStarted(buffers: SharedBuffers, worker: number): void {
  const { cells } = new CounterWriter(buffers, worker);
  const settle = ({ start, stride }: Section, slots: number, started: number): void => {
    for (let base = start; base < start + slots * stride; base += stride) {
      if (cells[base + started] === 0) continue;
      let ended = 0;
      for (let end: number = EndColumn.S1XX; end <= EndColumn.ABORTED; end++) {
        ended += cells[base + end]!;
      }
      cells[base + started] = ended;
    }
  };
  settle(listeners, limits.listeners, ListenerColumn.STARTED);
  settle(routes, limits.routes, RouteColumn.STARTED);
}

/**
 * Sums over all workers, for control. Cells never fall: what a slot's former owner left is
 * remembered at `resetSlot` and taken off from then on, so workers need not stop for it.
 */
export class CounterReader {
  readonly #cells: Float64Array;
  readonly #workers: number;
  readonly #baseline: Float64Array = new Float64Array(ROW);

  constructor(buffers: SharedBuffers) {
    this.#cells = new Float64Array(buffers.counters);
    this.#workers = buffers.workers;
  }

  /** One column of one slot. Cost: one read per worker. */
  one(owner: CounterOwner, slot: number, column: number): number {
    const { start, stride } = sections[owner];
    return this.#now(start + slot * stride + column);
  }

  /** Exchanges that ended; for a pool those that no server had. Cost: six reads per worker. */
  ended(owner: CounterOwner, slot: number): number {
    const { start, stride } = sections[owner];
    const first = start + slot * stride;
    let ended = 0;
    for (let column = EndColumn.S1XX; column <= EndColumn.ABORTED; column++) {
      ended += this.#now(first + column);
    }
    return ended;
  }

  /** All columns of one slot, by column number. Cost: some 70 reads per worker. */
  row(owner: CounterOwner, slot: number): number[] {
    const { start, width, stride } = sections[owner];
    const first = start + slot * stride;
    const row = new Array<number>(width);
    for (let column = 0; column < width; column++) row[column] = this.#now(first + column);
    return row;
  }

  /** Counts what another process had counted for the slot's owner, by column. */
  add(owner: CounterOwner, slot: number, values: readonly number[]): void {
    const { start, width, stride } = sections[owner];
    const first = start + slot * stride;
    for (let column = 0; column < width; column++) {
      this.#baseline[first + column]! -= values[column] ?? 0;
    }
  }

  /**
   * Starts a slot at zero for its new owner. Call it when no worker serves the former owner any
   * more.
   */
  resetSlot(owner: CounterOwner, slot: number): void {
    const { start, width, stride } = sections[owner];
    for (let cell = start + slot * stride; cell < start + slot * stride + width; cell++) {
      this.#baseline[cell]! += this.#now(cell);
    }
  }

  #now(cell: number): number {
    let sum = -this.#baseline[cell]!;
    for (let worker = 0; worker < this.#workers; worker++) sum += this.#cells[worker * ROW + cell]!;
    return sum;
  }
}
