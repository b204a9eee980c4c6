import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, quantile, sampleCount } from '../base/histogram.ts';
import { limits } from '../model/limits.ts';
import { allocateShared } from '../model/shared-memory.ts';
import {
  type Column,
  EndColumn,
  ListenerColumn,
  listenerColumns,
  PoolColumn,
  poolColumns,
  RouteColumn,
  reasonCodes,
  reasonIndexOf,
  routeColumns,
  ServerColumn,
  serverColumns,
  TimingColumn,
  timingCount,
} from './columns.ts';
import { CounterReader, CounterWriter, counterCount, settleStarted } from './counters.ts';
import { HistogramReader, HistogramWriter, histogramWords } from './histograms.ts';

const buffersFor = (workers: number) =>
  allocateShared(workers, {
    counterCount: counterCount(workers),
    histogramWords: histogramWords(workers),
  });

/** `REFUSED_BY_LIMIT` → `refusedByLimit`, `S2XX` → `s2xx`. */
const keyOf = (name: string) =>
  name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

test('column numbers and their table are in step, and metrics are told apart', () => {
  const tables: [Record<string, number>, readonly Column[]][] = [
    [ListenerColumn, listenerColumns],
    [RouteColumn, routeColumns],
    [PoolColumn, poolColumns],
    [ServerColumn, serverColumns],
  ];
  for (const [numbers, columns] of tables) {
    const named = columns.slice(0, numbers['REASONS']);
    assert.deepEqual(Object.values(numbers), [...named.keys(), named.length]);
    assert.deepEqual(Object.keys(numbers).map(keyOf), [...named.map(({ key }) => key), 'reasons']);
    const told = columns.slice(named.length).map(({ key }) => key);
    assert.deepEqual(told, reasonCodes);
    const { S1XX, S5XX, ABORTED } = EndColumn;
    const ends = [numbers['S1XX'], numbers['S5XX'], numbers['ABORTED']];
    assert.deepEqual(ends, [S1XX, S5XX, ABORTED]);
    const names = columns.map(({ metric, label }) => `${metric} ${label}`);
    assert.equal(new Set(names).size, columns.length);
  }
  assert.equal(Object.keys(TimingColumn).length, timingCount);
  assert.equal(reasonIndexOf('no-route'), reasonCodes.indexOf('no-route'));
});

test('CounterReader sums the rows of all workers, each slot and owner apart', () => {
  const buffers = buffersFor(3);
  const writers = [0, 1, 2].map((worker) => new CounterWriter(buffers, worker));
  const reader = new CounterReader(buffers);
  for (const [worker, writer] of writers.entries()) {
    writer.cells[writer.server(7) + ServerColumn.REUSES]! += worker + 1;
    writer.cells[writer.server(8) + ServerColumn.REUSES]! += 100;
    writer.cells[writer.pool(7) + PoolColumn.S5XX]! += 1;
  }
  assert.equal(reader.one('server', 7, ServerColumn.REUSES), 6);
  assert.equal(reader.one('server', 8, ServerColumn.REUSES), 300);
  assert.equal(reader.row('pool', 7)[PoolColumn.S5XX], 3);
  assert.equal(reader.ended('pool', 7), 3);
  assert.deepEqual(reader.row('route', 7), new Array(routeColumns.length).fill(0));
});

test('first and last cells of every owner are cells of their own', () => {
  const buffers = buffersFor(2);
  const writer = new CounterWriter(buffers, 1);
  const ends = [
    writer.listener(0),
    writer.listener(limits.listeners - 1) + listenerColumns.length - 1,
    writer.route(0),
    writer.route(limits.routes - 1) + routeColumns.length - 1,
    writer.pool(0),
    writer.pool(limits.pools - 1) + poolColumns.length - 1,
    writer.server(0),
    writer.server(limits.serverSlots - 1) + serverColumns.length - 1,
  ];
  assert.equal(new Set(ends).size, ends.length);
  assert.deepEqual(
    ends,
    ends.toSorted((one, other) => one - other),
  );
  for (const cell of ends) writer.cells[cell]! += 1;
  const reader = new CounterReader(buffers);
  assert.equal(reader.one('server', limits.serverSlots - 1, serverColumns.length - 1), 1);
});

test('resetSlot() starts a slot at zero while its cells go on', () => {
  const buffers = buffersFor(2);
  const writer = new CounterWriter(buffers, 0);
  const reader = new CounterReader(buffers);
  writer.cells[writer.server(3) + ServerColumn.CONNECTS]! += 5;
  reader.resetSlot('server', 3);
  assert.equal(reader.one('server', 3, ServerColumn.CONNECTS), 0);
  writer.cells[writer.server(3) + ServerColumn.CONNECTS]! += 2;
  assert.equal(reader.one('server', 3, ServerColumn.CONNECTS), 2);
});

test('HistogramReader merges workers, keeps timings apart, and resets a slot', () => {
  const buffers = buffersFor(2);
  const writers = [0, 1].map((worker) => new HistogramWriter(buffers, worker));
  const reader = new HistogramReader(buffers);
  for (const writer of writers) {
    writer.cells[writer.of('server', 4, TimingColumn.TOTAL) + bucketOf(30)]! += 2;
    writer.cells[writer.of('route', 4, TimingColumn.CONNECT) + bucketOf(20)]! += 1;
    writer.cells[writer.of('pool', 4, TimingColumn.FIRST_BYTE) + bucketOf(10)]! += 1;
  }
  const total = reader.read('server', 4, TimingColumn.TOTAL);
  assert.equal(sampleCount(total), 4);
  assert.equal(quantile(total, 0.5), 30);
  assert.equal(sampleCount(reader.read('server', 4, TimingColumn.CONNECT)), 0);
  assert.equal(quantile(reader.read('route', 4, TimingColumn.CONNECT), 1), 20);
  assert.equal(quantile(reader.read('pool', 4, TimingColumn.FIRST_BYTE), 1), 10);
  reader.resetSlot('server', 4);
  writers[1]!.cells[writers[1]!.of('server', 4, TimingColumn.TOTAL) + bucketOf(5)]! += 1;
  const fresh = reader.read('server', 4, TimingColumn.TOTAL);
  assert.equal(sampleCount(fresh), 1);
  assert.equal(quantile(fresh, 0.5), 5);
  const last = limits.serverSlots - 1;
  writers[1]!.cells[writers[1]!.of('server', last, TimingColumn.TOTAL) + 895]! += 1;
  assert.equal(sampleCount(reader.read('server', last, TimingColumn.TOTAL)), 1);
});

test('settleStarted() takes off what a dead worker had begun, and nothing of the others', () => {
  const buffers = buffersFor(2);
  const writers = [0, 1].map((worker) => new CounterWriter(buffers, worker));
  for (const writer of writers) {
    for (const base of [writer.listener(2), writer.route(9)]) {
      writer.cells[base] = 5;
      writer.cells[base + EndColumn.S1XX + 1] = 2;
      writer.cells[base + EndColumn.ABORTED] = 1;
    }
  }
  settleStarted(buffers, 1);
  const reader = new CounterReader(buffers);
  // 5 of the living worker, 3 that ended in the dead one
  assert.equal(reader.one('listener', 2, ListenerColumn.STARTED), 8);
  assert.equal(reader.one('route', 9, RouteColumn.STARTED), 8);
  assert.equal(reader.ended('route', 9), 6);
});

test('a histogram of a listener, and the lateness of a loop, have cells of their own', () => {
  const buffers = buffersFor(2);
  const writer = new HistogramWriter(buffers, 1);
  const last = writer.of('server', limits.serverSlots - 1, timingCount - 1);
  writer.cells[writer.of('listener', 3, TimingColumn.TOTAL) + 4]! += 7;
  writer.cells[last + 895]! += 1;
  writer.cells[writer.lag + 2]! += 3;
  const reader = new HistogramReader(buffers);
  assert.equal(reader.read('listener', 3, TimingColumn.TOTAL)[4], 7);
  assert.equal(sampleCount(reader.lagOf(1)), 3);
  assert.equal(sampleCount(reader.lagOf(0)), 0);
});
