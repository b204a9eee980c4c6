import type { Snapshot } from '../../model/snapshot.ts';
import {
  type Column,
  ListenerColumn,
  listenerColumns,
  poolColumns,
  RouteColumn,
  routeColumns,
  serverColumns,
  timingCount,
} from '../../observe/columns.ts';
import { type CounterOwner, type CounterReader, endedOf } from '../../observe/counters.ts';
import type { HistogramOwner, HistogramReader } from '../../observe/histograms.ts';
import type { SlotBook } from '../publish/slots.ts';
import type { DepartedTotals } from './departed.ts';

/** Counters of one owner: kind, pool of a server or '', name, then by column; zeros at the end are left out. */
type Row = readonly [owner: CounterOwner, pool: string, name: string, values: readonly number[]];

/** A histogram's cells that are not zero: owner, pool or '', name, timing, then bucket, count, … */
type Durations = readonly [
  owner: HistogramOwner,
  pool: string,
  name: string,
  timing: number,
  cells: readonly number[],
];

/**
 * Everything that a balancer has counted, by names, for the one that takes its place: plain data for
 * JSON. Columns go by their names, since the other may be another version.
 */
export interface Totals {
  readonly columns: Readonly<Record<CounterOwner, readonly string[]>>;
  readonly rows: readonly Row[];
  readonly durations: readonly Durations[];
}

/** Where totals are read from and put into. */
export interface TotalsMeans {
  readonly counters: CounterReader;
  readonly histograms: HistogramReader;
  readonly departed: DepartedTotals;
  readonly slots: SlotBook;
}

const columnsOf: Readonly<Record<CounterOwner, readonly Column[]>> = {
  listener: listenerColumns,
  route: routeColumns,
  pool: poolColumns,
  server: serverColumns,
};

const columnNames: Totals['columns'] = {
  listener: listenerColumns.map(({ key }) => key),
  route: routeColumns.map(({ key }) => key),
  pool: poolColumns.map(({ key }) => key),
  server: serverColumns.map(({ key }) => key),
};

/**
 * What has been counted since `before`, or at all. Cost: one pass over all slots in use; histograms
 * of those that have counted something.
 */
export function readTotals(
  snapshot: Snapshot,
  means: TotalsMeans,
  before: Totals | null = null,
): Totals {
  const known = indexOf(before);
  const rows: Row[] = [];
  const durations: Durations[] = [];
  const add = (
    owner: CounterOwner,
    pool: string,
    name: string,
    values: readonly number[],
  ): boolean => {
    const grown = less(settled(owner, values), known.rows.get(keyOf(owner, pool, name)));
    const length = grown.findLastIndex((value) => value !== 0) + 1;
    // Most columns of most rows are reasons that never came up.
    if (length > 0) rows.push([owner, pool, name, grown.slice(0, length)]);
    return length > 0;
  };
  const read = (owner: CounterOwner, pool: string, name: string, slot: number): void => {
    if (!add(owner, pool, name, means.counters.row(owner, slot))) return;
    for (let timing = 0; timing < timingCount; timing++) {
      const cells = means.histograms.read(owner, slot, timing);
      const sparse = sparseOf(cells, known.durations.get(`${keyOf(owner, pool, name)}\n${timing}`));
      if (sparse.length > 0) durations.push([owner, pool, name, timing, sparse]);
    }
  };
  for (const { name, slot } of snapshot.listeners) read('listener', '', name, slot);
  for (const { name, slot } of snapshot.routes) read('route', '', name, slot);
  for (const pool of snapshot.pools) {
    read('pool', '', pool.name, pool.slot);
    for (const { address, slot } of pool.servers) read('server', pool.name, address, slot);
  }
  for (const owner of Object.keys(columnsOf) as CounterOwner[]) {
    for (const { pool, name, slot, values } of means.departed.of(owner)) {
      if (slot === null) add(owner, pool ?? '', name, values);
      else read(owner, pool ?? '', name, slot);
    }
  }
  return { columns: columnNames, rows, durations };
}

/**
 * Counts `totals` as our own, less what was counted of the same source already. What our
 * configuration has no more goes to the sums of those that left.
 */
export function takeTotals(totals: Totals, already: Totals | null, means: TotalsMeans): void {
  const known = indexOf(already);
  for (const [owner, pool, name, values] of totals.rows) {
    const grown = less(values, known.rows.get(keyOf(owner, pool, name)));
    const own = columnsOf[owner].map(({ key }) => {
      const at = totals.columns[owner].indexOf(key);
      return at < 0 ? 0 : (grown[at] ?? 0);
    });
    const slot = means.slots.slotOf(owner, pool, name);
    if (slot !== null) means.counters.add(owner, slot, own);
    else if (owner !== 'server') means.departed.add(owner, null, own);
    else
      means.departed.add(owner, means.slots.slotOf('pool', '', pool) === null ? null : pool, own);
  }
  for (const [owner, pool, name, timing, cells] of totals.durations) {
    const before = known.durations.get(`${keyOf(owner, pool, name)}\n${timing}`);
    const grown = lessSparse(cells, before);
    const slot = means.slots.slotOf(owner, pool, name);
    if (slot !== null) means.histograms.add(owner, slot, timing, grown);
    else if (owner === 'server') {
      // Its pool is the sum of its servers, and must not fall because one of them left.
      const poolSlot = means.slots.slotOf('pool', '', pool);
      if (poolSlot !== null) means.histograms.add('pool', poolSlot, timing, grown);
    }
  }
}

/** What runs in this process ends in its books, not in those of another. */
function settled(owner: CounterOwner, values: readonly number[]): readonly number[] {
  if (owner === 'pool' || owner === 'server') return values;
  const started = owner === 'listener' ? ListenerColumn.STARTED : RouteColumn.STARTED;
  return values.with(started, endedOf(values));
}

interface TotalsIndex {
  readonly rows: ReadonlyMap<string, readonly number[]>;
  readonly durations: ReadonlyMap<string, readonly number[]>;
}

function indexOf(totals: Totals | null): TotalsIndex {
  const rows = new Map<string, readonly number[]>();
  const durations = new Map<string, readonly number[]>();
  for (const [owner, pool, name, values] of totals?.rows ?? []) {
    rows.set(keyOf(owner, pool, name), values);
  }
  for (const [owner, pool, name, timing, cells] of totals?.durations ?? []) {
    durations.set(`${keyOf(owner, pool, name)}\n${timing}`, cells);
  }
  return { rows, durations };
}

function keyOf(owner: string, pool: string, name: string): string {
  return `${owner}\n${pool}\n${name}`;
}

function less(values: readonly number[], before: readonly number[] | undefined): readonly number[] {
  return before === undefined ? values : values.map((value, at) => value - (before[at] ?? 0));
}

function sparseOf(cells: Float64Array, before: readonly number[] | undefined): number[] {
  for (let i = 0; i < (before?.length ?? 0); i += 2) {
    cells[before?.[i] as number]! -= before?.[i + 1] as number;
  }
  const sparse: number[] = [];
  cells.forEach((count, bucket) => {
    if (count !== 0) sparse.push(bucket, count);
  });
  return sparse;
}

function lessSparse(
  cells: readonly number[],
  before: readonly number[] | undefined,
): readonly number[] {
  if (before === undefined) return cells;
  const counts = new Map<number, number>();
  for (let i = 0; i < cells.length; i += 2) counts.set(cells[i]!, cells[i + 1]!);
  for (let i = 0; i < before.length; i += 2) {
    counts.set(before[i]!, (counts.get(before[i]!) ?? 0) - before[i + 1]!);
  }
  return [...counts].flat();
}
