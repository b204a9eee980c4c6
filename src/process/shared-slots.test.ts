import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byPool } from '../control/report/departed.ts';
import { limits } from '../model/limits.ts';
import { allocateShared, attachWords } from '../model/shared-memory.ts';
import { EndColumn, TimingColumn } from '../observe/columns.ts';
import { CounterReader, CounterWriter, counterCount, endedOf } from '../observe/counters.ts';
import { HistogramReader, HistogramWriter, histogramWords } from '../observe/histograms.ts';
import { poolValues } from '../observe/pool-values.ts';
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
  const durations = new HistogramWriter(shared, 0);
  const publish = (names: readonly string[], addresses: readonly string[] = ['a', 'b']) => {
    slots.begin();
    const pools = names.map((name) => ({
      slot: slots.assigner.pool(name),
      servers: addresses.map((address) => slots.assigner.server(name, address)),
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
      cells[writer.pool + EndColumn.S5XX]! += 1;
      cells[writer.servers[0]! + EndColumn.S1XX + 1]! += 3;
      cells[writer.servers[1]! + EndColumn.ABORTED]! += 1;
    }
  };
  return { words, counters, histograms, durations, departed, publish, serve };
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

test('totals stay whole and equal while more pools come and go than are shown by name', () => {
  const { counters, departed, publish, serve } = world();
  let served = 0;
  let highest = 0;
  for (let round = 0; round < 2 * limits.departedNames; round++) {
    // Some come back soon, most never.
    const pools = publish(['stays', `p${round % 7 === 3 ? round - 2 : round}`]);
    for (const pool of pools) serve(pool);
    served += pools.length * 5 * workers;
    const left = byPool(departed.of('server'));
    const present = pools.map(({ slot, servers }, index) =>
      poolValues(counters.row('pool', slot), [
        ...servers.map((server) => counters.row('server', server)),
        // A pool that stays keeps what servers left that were its own.
        ...(index === 0 ? (left.get('stays') ?? []) : []).map(({ values }) => values),
      ]),
    );
    const gone = departed.of('pool').map(({ name, values }) => ({
      name,
      ended: endedOf(
        poolValues(
          values,
          (left.get(name) ?? []).map((server) => server.values),
        ),
      ),
    }));
    const all = sum(present.map(endedOf)) + sum(gone.map(({ ended }) => ended));
    assert.equal(all, served, `round ${round}`);
    const removed = gone.find(({ name }) => name === '(removed)');
    if (removed === undefined) continue;
    assert.ok(removed.ended >= highest, 'never falls');
    highest = removed.ended;
  }
  assert.ok(highest > 0, 'slots were given again');
});

test('durations of servers that left for good stay with their pool', () => {
  const { histograms, durations, departed, publish, serve } = world();
  let pools = publish(['web']);
  const rounds = 2 * limits.departedNames;
  const bucket = 40;
  for (let round = 0; round < rounds; round++) {
    const [pool] = pools;
    durations.cells[durations.of('server', pool!.servers[0]!, TimingColumn.TOTAL) + bucket]! += 1;
    serve(pool!);
    pools = publish(['web'], [`a${round}`, 'b']);
  }
  const own = histograms.read('pool', pools[0]!.slot, TimingColumn.TOTAL)[bucket]!;
  assert.ok(own > 0, 'slots were given again');
  // What is still known by name stands with the servers themselves.
  const left = departed.of('server').flatMap(({ slot }) => (slot === null ? [] : [slot]));
  const read = (slot: number): number =>
    histograms.read('server', slot, TimingColumn.TOTAL)[bucket]!;
  assert.equal(own + sum(left.map(read)), rounds);
});

test('a pool that gets the slot of another starts with a whole retry budget', () => {
  const { words, publish } = world();
  const [first] = publish(['first']);
  words.retryTokens[first!.slot] = -5_000;
  for (let round = 0; round <= limits.departedNames + 1; round++) publish([`p${round}`]);
  assert.equal(words.retryTokens[first!.slot], 0);
});
