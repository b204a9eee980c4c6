import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, quantile, sampleCount } from '../base/histogram.ts';
import { limits } from '../model/limits.ts';
import { allocateShared } from '../model/shared-memory.ts';
import {
  type Column,
  ListenerColumn,
  listenerColumns,
  PoolColumn,
  poolColumns,
  RouteColumn,
  reasonCodes,
  reasonIndexOf,
  routeColumns,
  ServerColumn,
  ServerTiming,
  serverColumns,
  serverTimingCount,
} from './columns.ts';
import { CounterReader, CounterWriter, counterCount } from './counters.ts';
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
    assert.deepEqual(Object.values(numbers), [...columns.keys()]);
    assert.deepEqual(
      Object.keys(numbers).map(keyOf),
      columns.map(({ key }) => key),
    );
    const names = columns.map(({ metric, statusClass }) => `${metric} ${statusClass}`);
    assert.equal(new Set(names).size, columns.length);
  }
  assert.equal(Object.keys(ServerTiming).length, serverTimingCount);
  assert.equal(reasonIndexOf('no-route'), reasonCodes.indexOf('no-route'));
});

test('CounterReader sums the rows of all workers, each slot and owner apart', () => {
  const buffers = buffersFor(3);
  const writers = [0, 1, 2].map((worker) => new CounterWriter(buffers, worker));
  const reader = new CounterReader(buffers);
  for (const [worker, writer] of writers.entries()) {
    writer.cells[writer.server(7) + ServerColumn.REQUESTS]! += worker + 1;
    writer.cells[writer.server(8) + ServerColumn.REQUESTS]! += 100;
    writer.cells[writer.pool(7) + PoolColumn.S5XX]! += 1;
  }
  assert.equal(reader.one('server', 7, ServerColumn.REQUESTS), 6);
  assert.equal(reader.read('server', 8)['requests'], 300);
  assert.equal(reader.read('pool', 7)['s5xx'], 3);
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
    writer.reason(0),
    writer.reason(reasonCodes.length - 1),
  ];
  assert.equal(new Set(ends).size, ends.length);
  assert.deepEqual(
    ends,
    ends.toSorted((one, other) => one - other),
  );
  for (const cell of ends) writer.cells[cell]! += 1;
  const reader = new CounterReader(buffers);
  assert.equal(reader.one('server', limits.serverSlots - 1, serverColumns.length - 1), 1);
  assert.equal(reader.reasons().at(-1), 1);
  assert.equal(
    reader.reasons().reduce((sum, count) => sum + count, 0),
    2,
  );
});

test('resetSlot() starts a slot at zero while its cells go on', () => {
  const buffers = buffersFor(2);
  const writer = new CounterWriter(buffers, 0);
  const reader = new CounterReader(buffers);
  writer.cells[writer.server(3) + ServerColumn.CONNECTS]! += 5;
  reader.resetSlot('server', 3);
  assert.equal(reader.one('server', 3, ServerColumn.CONNECTS), 0);
  writer.cells[writer.server(3) + ServerColumn.CONNECTS]! += 2;
  assert.equal(reader.read('server', 3)['connects'], 2);
});

test('HistogramReader merges workers, keeps timings apart, and resets a slot', () => {
  const buffers = buffersFor(2);
  const writers = [0, 1].map((worker) => new HistogramWriter(buffers, worker));
  const reader = new HistogramReader(buffers);
  for (const writer of writers) {
    writer.cells[writer.server(4, ServerTiming.TOTAL) + bucketOf(30)]! += 2;
    writer.cells[writer.route(4) + bucketOf(20)]! += 1;
    writer.cells[writer.pool(4) + bucketOf(10)]! += 1;
  }
  const total = reader.read('server', 4, ServerTiming.TOTAL);
  assert.equal(sampleCount(total), 4);
  assert.equal(quantile(total, 0.5), 30);
  assert.equal(sampleCount(reader.read('server', 4, ServerTiming.CONNECT)), 0);
  assert.equal(quantile(reader.read('route', 4), 1), 20);
  assert.equal(quantile(reader.read('pool', 4), 1), 10);
  reader.resetSlot('server', 4);
  writers[1]!.cells[writers[1]!.server(4, ServerTiming.TOTAL) + bucketOf(5)]! += 1;
  const fresh = reader.read('server', 4, ServerTiming.TOTAL);
  assert.equal(sampleCount(fresh), 1);
  assert.equal(quantile(fresh, 0.5), 5);
  const last = limits.serverSlots - 1;
  writers[1]!.cells[writers[1]!.server(last, ServerTiming.TOTAL) + 895]! += 1;
  assert.equal(sampleCount(reader.read('server', last, ServerTiming.TOTAL)), 1);
});
