import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Departed } from '../control/report/departed.ts';
import { limits } from '../model/limits.ts';
import { allocateShared, attachWords } from '../model/shared-memory.ts';
import { PoolColumn, ServerColumn } from '../observe/columns.ts';
import {
  type CounterOwner,
  CounterReader,
  CounterWriter,
  counterCount,
} from '../observe/counters.ts';
import { HistogramReader, histogramWords } from '../observe/histograms.ts';
import { createSlotBook } from './shared-slots.ts';

const workers = 2;

/** Pools `p0` … with servers `a` and `b`: every round one pool changes, and all serve requests. */
function world() {
  const shared = allocateShared(workers, {
    counterCount: counterCount(workers),
    histogramWords: histogramWords(workers),
  });
  const words = attachWords(shared);
  const counters = new CounterReader(shared);
  const writers = [0, 1].map((worker) => new CounterWriter(shared, worker));
  const histograms = new HistogramReader(shared);
  const { slots, departed } = createSlotBook(words, { counters, histograms }, workers);
  let version = 0;
  const publish = (names: readonly string[]) => {
    slots.begin();
    const pools = names.map((name) => ({
      slot: slots.assigner.pool(name),
      servers: ['a', 'b'].map((address) => slots.assigner.server(name, address)),
    }));
    slots.commit(++version);
    slots.applied(version);
    return pools;
  };
  /** Three requests for the first server, one for the second, one for none. */
  const serve = (pool: { slot: number; servers: readonly number[] }): void => {
    for (const { cells, ...writer } of writers.map((each) => ({
      cells: each.cells,
      pool: each.pool(pool.slot),
      servers: pool.servers.map((slot) => each.server(slot)),
    }))) {
      cells[writer.pool + PoolColumn.REQUESTS]! += 5;
      cells[writer.pool + PoolColumn.WITHOUT_SERVER]! += 1;
      cells[writer.servers[0]! + ServerColumn.REQUESTS]! += 3;
      cells[writer.servers[1]! + ServerColumn.REQUESTS]! += 1;
    }
  };
  return { words, counters, departed, publish, serve };
}

function sumOf(departed: Departed, kind: CounterOwner, column: number): number {
  return departed.of(kind).reduce((sum, { values }) => sum + values[column]!, 0);
}

test('totals stay whole and equal while more pools come and go than are shown by name', () => {
  const { counters, departed, publish, serve } = world();
  let served = 0;
  let highest = 0;
  for (let round = 0; round < 2 * limits.departedNames; round++) {
    // Some come back soon, most never.
    const pools = publish(['stays', `p${round % 7 === 3 ? round - 2 : round}`]);
    for (const pool of pools) serve(pool);
    served += pools.length * 5 * workers;
    const one = (kind: 'pool' | 'server', slot: number, column: number): number =>
      counters.one(kind, slot, column);
    const now = (column: number): number =>
      pools.reduce((sum, p) => sum + one('pool', p.slot, column), 0);
    const requests = now(PoolColumn.REQUESTS) + sumOf(departed, 'pool', PoolColumn.REQUESTS);
    const without =
      now(PoolColumn.WITHOUT_SERVER) + sumOf(departed, 'pool', PoolColumn.WITHOUT_SERVER);
    const atServers = pools
      .flatMap((pool) => pool.servers)
      .reduce((sum, slot) => sum + one('server', slot, ServerColumn.REQUESTS), 0);
    const left = sumOf(departed, 'server', ServerColumn.REQUESTS);
    assert.equal(requests, served, `round ${round}`);
    assert.equal(requests, atServers + left + without, `round ${round}`);
    if (round % 16 !== 0) continue;
    // Per departed pool too, the sum of the forgotten ones included.
    for (const { name, values } of departed.of('pool')) {
      const servers = departed.of('server').filter(({ pool }) => pool === name);
      const had = servers.reduce((sum, { values: row }) => sum + row[ServerColumn.REQUESTS]!, 0);
      assert.equal(values[PoolColumn.REQUESTS], had + values[PoolColumn.WITHOUT_SERVER]!, name);
      if (name === '(removed)') {
        assert.ok(values[PoolColumn.REQUESTS]! >= highest, 'never falls');
        highest = values[PoolColumn.REQUESTS]!;
      }
    }
  }
  assert.ok(highest > 0, 'slots were given again');
});

test('a pool that gets the slot of another starts with a whole retry budget', () => {
  const { words, publish } = world();
  const [first] = publish(['first']);
  words.retryTokens[first!.slot] = -5_000;
  for (let round = 0; round <= limits.departedNames + 1; round++) publish([`p${round}`]);
  assert.equal(words.retryTokens[first!.slot], 0);
});
