import type { Snapshot } from '../../model/snapshot.ts';
import {
  type Column,
  listenerColumns,
  poolColumns,
  reasonCodes,
  routeColumns,
  serverColumns,
  serverTimingCount,
} from '../../observe/columns.ts';
import type { CounterOwner, CounterReader } from '../../observe/counters.ts';
import type { HistogramOwner, HistogramReader } from '../../observe/histograms.ts';
import type { SlotBook } from '../publish/slots.ts';
import type { DepartedTotals } from './departed.ts';

/** Counters of one owner: kind, pool of a server or '', name, then by column or reason. */
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
  readonly reasons: Readonly<Record<string, number>>;
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
  const add = (owner: CounterOwner, pool: string, name: string, values: number[]): boolean => {
    const grown = less(values, known.rows.get(keyOf(owner, pool, name)));
    const hasGrown = grown.some((value) => value !== 0);
    if (hasGrown) rows.push([owner, pool, name, grown]);
    return hasGrown;
  };
  const read = (owner: CounterOwner, pool: string, name: string, slot: number): void => {
    if (!add(owner, pool, name, means.counters.row(owner, slot)) || owner === 'listener') return;
    const timings = owner === 'server' ? serverTimingCount : 1;
    for (let timing = 0; timing < timings; timing++) {
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
    for (const { pool, name, values } of means.departed.of(owner)) {
      add(owner, pool ?? '', name, [...values]);
    }
  }
  return { columns: columnNames, rows, durations, reasons: readReasons(means, before) };
}

/**
 * Counts `totals` as our own, less what was counted of the same source already. What our
 * configuration has no more goes to the sums of those that left.
 */
export function takeTotals(totals: Totals, already: Totals | null, means: TotalsMeans): void {
  const known = indexOf(already);
  for (const [owner, pool, name, values] of totals.rows) {
    const grown = less([...values], known.rows.get(keyOf(owner, pool, name)));
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
    const slot = means.slots.slotOf(owner, pool, name);
    if (slot === null) continue;
    const before = known.durations.get(`${keyOf(owner, pool, name)}\n${timing}`);
    means.histograms.add(owner, slot, timing, lessSparse(cells, before));
  }
  reasonCodes.forEach((code, index) => {
    const count = (totals.reasons[code] ?? 0) - (already?.reasons[code] ?? 0);
    if (count !== 0) means.counters.addReason(index, count);
  });
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

function less(values: number[], before: readonly number[] | undefined): number[] {
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

function readReasons({ counters }: TotalsMeans, before: Totals | null): Record<string, number> {
  const reasons: Record<string, number> = {};
  counters.reasons().forEach((count, index) => {
    const code = reasonCodes[index] as string;
    const grown = count - (before?.reasons[code] ?? 0);
    if (grown !== 0) reasons[code] = grown;
  });
  return reasons;
}
