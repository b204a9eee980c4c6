import { limits } from '../model/limits.ts';
import type { SharedBuffers } from '../model/shared-memory.ts';
import {
  type Column,
  listenerColumns,
  poolColumns,
  reasonCodes,
  routeColumns,
  serverColumns,
} from './columns.ts';

/** Whose counters: each owner has `limits` slots with its columns. */
export type CounterOwner = 'listener' | 'route' | 'pool' | 'server';

interface Section {
  readonly start: number;
  readonly columns: readonly Column[];
}

const LISTENERS = 0;
const ROUTES = LISTENERS + limits.listeners * listenerColumns.length;
const POOLS = ROUTES + limits.routes * routeColumns.length;
const SERVERS = POOLS + limits.pools * poolColumns.length;
const REASONS = SERVERS + limits.serverSlots * serverColumns.length;
/** Rounded to a cache line of eight cells, and one line more between the rows of two workers. */
const ROW = ((REASONS + reasonCodes.length + 7) & ~7) + 8;

const sections: Readonly<Record<CounterOwner, Section>> = {
  listener: { start: LISTENERS, columns: listenerColumns },
  route: { start: ROUTES, columns: routeColumns },
  pool: { start: POOLS, columns: poolColumns },
  server: { start: SERVERS, columns: serverColumns },
};

/** Float64 cells that `allocateShared` must provide as `counterCount`. */
export function counterCount(workers: number): number {
  return workers * ROW;
}

/**
 * One worker's counters. The hot path keeps base indexes and adds to `cells` itself:
 *
 *     writer.cells[serverBase + ServerColumn.REQUESTS]! += 1;
 *
 * Shape: a row per worker: listeners | routes | pools | servers | reasons, each slot with its
 * columns in order. One writer per row and plain writes: a reader may see a sum that is a moment
 * old, never a torn one (64-bit cells are written whole on the 64-bit machines that Node 22 runs
 * on).
 */
export class CounterWriter {
  /** This worker's row. */
  readonly cells: Float64Array;

  constructor(buffers: SharedBuffers, worker: number) {
    this.cells = new Float64Array(buffers.counters, worker * ROW * 8, ROW);
  }

  /** Index of a listener's first column in `cells`. */
  listener(slot: number): number {
    return LISTENERS + slot * listenerColumns.length;
  }

  /** Index of a route's first column. */
  route(slot: number): number {
    return ROUTES + slot * routeColumns.length;
  }

  /** Index of a pool's first column. */
  pool(slot: number): number {
    return POOLS + slot * poolColumns.length;
  }

  /** Index of a server's first column. */
  server(slot: number): number {
    return SERVERS + slot * serverColumns.length;
  }

  /** Index of a reason's only cell; `index` from `reasonIndexOf`. */
  reason(index: number): number {
    return REASONS + index;
  }
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
    const { start, columns } = sections[owner];
    return (
      this.#sum(start + slot * columns.length + column) -
      this.#baseline[start + slot * columns.length + column]!
    );
  }

  /** All columns of one slot, by column number. */
  row(owner: CounterOwner, slot: number): number[] {
    return sections[owner].columns.map((_, column) => this.one(owner, slot, column));
  }

  /** All columns of one slot by their JSON names. */
  read(owner: CounterOwner, slot: number): Record<string, number> {
    const named: Record<string, number> = {};
    for (const [column, { key }] of sections[owner].columns.entries()) {
      named[key] = this.one(owner, slot, column);
    }
    return named;
  }

  /** How often each reason word was the end of an exchange, in the order of `reasonCodes`. */
  reasons(): number[] {
    return reasonCodes.map(
      (_, index) => this.#sum(REASONS + index) - this.#baseline[REASONS + index]!,
    );
  }

  /** Counts what another process had counted for the slot's owner, by column. */
  add(owner: CounterOwner, slot: number, values: readonly number[]): void {
    const { start, columns } = sections[owner];
    for (let column = 0; column < columns.length; column++) {
      this.#baseline[start + slot * columns.length + column]! -= values[column] ?? 0;
    }
  }

  /** The same for a reason word. */
  addReason(index: number, count: number): void {
    this.#baseline[REASONS + index]! -= count;
  }

  /**
   * Starts a slot at zero for its new owner. Call it when no worker serves the former owner any
   * more.
   */
  resetSlot(owner: CounterOwner, slot: number): void {
    const { start, columns } = sections[owner];
    for (let column = 0; column < columns.length; column++) {
      const cell = start + slot * columns.length + column;
      this.#baseline[cell] = this.#sum(cell);
    }
  }

  #sum(cell: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#workers; worker++) sum += this.#cells[worker * ROW + cell]!;
    return sum;
  }
}
