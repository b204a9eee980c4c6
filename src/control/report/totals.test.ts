import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../model/limits.ts';
import { allocateShared } from '../../model/shared-memory.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { ServerColumn, TimingColumn } from '../../observe/columns.ts';
import { CounterReader, CounterWriter, counterCount, endedOf } from '../../observe/counters.ts';
import { HistogramReader, HistogramWriter, histogramWords } from '../../observe/histograms.ts';
import { SlotBook } from '../publish/slots.ts';
import { DepartedTotals } from './departed.ts';
import { readTotals, type TotalsMeans, takeTotals } from './totals.ts';

/** A process with a pool `web` of these servers. */
function processWith(addresses: readonly string[]): {
  means: TotalsMeans;
  snapshot: Snapshot;
  count: (address: string, requests: number) => void;
  requests: (address: string) => number;
} {
  const sizes = { counterCount: counterCount(1), histogramWords: histogramWords(1) };
  const shared = allocateShared(1, sizes);
  const counters = new CounterReader(shared);
  const histograms = new HistogramReader(shared);
  const slots = new SlotBook({
    capacities: { listener: 4, route: 4, pool: 4, server: limits.serverSlots },
    isQuiet: () => true,
    onReused: () => {},
    onReturned: () => {},
  });
  slots.begin();
  const pool = { name: 'web', slot: slots.assigner.pool('web') };
  const servers = addresses.map((address) => ({
    address,
    slot: slots.assigner.server('web', address),
  }));
  slots.commit(1);
  const writer = new CounterWriter(shared, 0);
  const durations = new HistogramWriter(shared, 0);
  const slotOf = (address: string): number => slots.slotOf('server', 'web', address) ?? -1;
  return {
    means: {
      counters,
      histograms,
      slots,
      departed: new DepartedTotals(counters, (kind) => slots.departed(kind)),
    },
    snapshot: { listeners: [], routes: [], pools: [{ ...pool, servers }] } as unknown as Snapshot,
    count: (address, requests) => {
      writer.cells[writer.server(slotOf(address)) + ServerColumn.S2XX]! += requests;
      durations.cells[durations.of('server', slotOf(address), TimingColumn.TOTAL) + 7]! += requests;
    },
    requests: (address) => counters.ended('server', slotOf(address)),
  };
}

test('a successor goes on where the one before stands, and adds what it counts late once', () => {
  const before = processWith(['a:1', 'b:1']);
  before.count('a:1', 5);
  before.count('b:1', 2);
  const totals = readTotals(before.snapshot, before.means);
  const after = processWith(['b:1', 'a:1']);
  takeTotals(JSON.parse(JSON.stringify(totals)), null, after.means);
  after.count('a:1', 100);
  assert.equal(after.requests('a:1'), 105);
  assert.equal(after.requests('b:1'), 2);
  before.count('a:1', 1);
  const late = readTotals(before.snapshot, before.means, totals);
  assert.equal(late.rows.length, 1);
  takeTotals(late, null, after.means);
  before.count('a:1', 3);
  takeTotals(readTotals(before.snapshot, before.means, totals), late, after.means);
  // 5 + 100 + 1 + 3
  assert.equal(after.requests('a:1'), 109);
  const slot = after.means.slots.slotOf('server', 'web', 'a:1') ?? -1;
  assert.equal(after.means.histograms.read('server', slot, TimingColumn.TOTAL)[7], 109);
});

test('counters of a server that the successor has not are kept in the sum of its pool', () => {
  const before = processWith(['a:1', 'gone:1']);
  before.count('gone:1', 9);
  const after = processWith(['a:1']);
  takeTotals(readTotals(before.snapshot, before.means), null, after.means);
  const [left] = after.means.departed.of('server');
  assert.equal(left?.pool, 'web');
  assert.equal(endedOf(left?.values ?? []), 9);
  const pool = after.means.slots.slotOf('pool', '', 'web') ?? -1;
  assert.equal(after.means.histograms.read('pool', pool, TimingColumn.TOTAL)[7], 9);
});
