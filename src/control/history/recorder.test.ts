import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, histogramBuckets } from '../../base/histogram.ts';
import { countedFigures, Figure, figureCount } from '../../model/history.ts';
import { HistoryRecorder, type Reading, type RecordedRow } from './recorder.ts';

/** A server that answers `perSecond` requests in `us` each, always `inFlight` at a time. */
class Source {
  readonly counts = new Float64Array(countedFigures);
  readonly cells = new Float64Array(histogramBuckets);

  pass(requests: number, us: number): void {
    this.counts[Figure.REQUESTS]! += requests;
    this.cells[bucketOf(us)]! += requests;
  }

  reading(inFlight = 2): Reading {
    return {
      key: { kind: 'server', pool: 'web', name: 'a:1' },
      counts: this.counts,
      inFlight,
      up: 1,
      cells: () => this.cells,
    };
  }
}

const figure = ({ figures }: RecordedRow, index: number, of = 0): number =>
  figures[of * figureCount + index]!;

test('tick() gives what was counted in each second, its percentiles and concurrency', () => {
  const source = new Source();
  source.pass(1_000, 50);
  const recorder = new HistoryRecorder();
  assert.deepEqual(recorder.tick(1_000_000, [source.reading()]), []);
  source.pass(10, 2_000);
  const [row] = recorder.tick(1_001_000, [source.reading()]);
  assert.ok(row !== undefined);
  assert.deepEqual([row.tier, row.atMs, row.spanMs], [0, 1_001_000, 1_000]);
  assert.equal(figure(row, Figure.REQUESTS), 10);
  // 10 requests of 2 ms: within the 1.6 % of a bucket.
  assert.ok(Math.abs(figure(row, Figure.P99_US) - 2_000) < 32);
  assert.ok(Math.abs(figure(row, Figure.BUSY_US) - 20_000) < 320);
  assert.equal(figure(row, Figure.IN_FLIGHT), 2_000);
  assert.equal(figure(row, Figure.UP), 1_000);
});

test('tick() closes the windows of 10 s and 5 min at whole multiples, without loss', () => {
  const source = new Source();
  const recorder = new HistoryRecorder();
  const rows: RecordedRow[] = [];
  // Begins at 12:04:55: the first windows are cut short.
  for (let atMs = 43_495_000; atMs <= 43_800_000; atMs += 1_000) {
    rows.push(...recorder.tick(atMs, [source.reading(atMs % 7_000 === 0 ? 9 : 2)]));
    source.pass(3, 100);
  }
  const ends = (tier: number): number[] =>
    rows.filter((row) => row.tier === tier).map(({ atMs }) => atMs);
  assert.deepEqual(ends(2), [43_500_000, 43_800_000]);
  assert.equal(ends(1).length, 31);
  assert.ok(ends(1).every((atMs) => atMs % 10_000 === 0));
  const sumOf = (tier: number): number =>
    rows
      .filter((row) => row.tier === tier)
      .reduce((sum, row) => sum + figure(row, Figure.REQUESTS), 0);
  // 305 seconds at 3 a second, in every tier.
  assert.deepEqual([sumOf(0), sumOf(1), sumOf(2)], [915, 915, 915]);
  const last = rows.findLast((row) => row.tier === 2);
  assert.ok(last !== undefined);
  assert.equal(figure(last, Figure.IN_FLIGHT_MAX), 9);
});

test('flush() gives the open windows of the coarse tiers', () => {
  const source = new Source();
  const recorder = new HistoryRecorder();
  for (let atMs = 7_001_000; atMs <= 7_004_000; atMs += 1_000) {
    recorder.tick(atMs, [source.reading()]);
    source.pass(1, 100);
  }
  const rows = recorder.flush();
  assert.deepEqual(
    rows.map((row) => [row.tier, row.atMs, row.spanMs, figure(row, Figure.REQUESTS)]),
    [
      [1, 7_004_000, 3_000, 3],
      [2, 7_004_000, 3_000, 3],
    ],
  );
});

test('tick() begins anew with counts that fell, and loses nothing of a late second', () => {
  const source = new Source();
  const recorder = new HistoryRecorder();
  source.pass(500, 100);
  recorder.tick(10_000, [source.reading()]);
  const anew = new Source();
  anew.pass(20, 100);
  const [fallen] = recorder.tick(11_000, [anew.reading()]);
  assert.equal(figure(fallen!, Figure.REQUESTS), 0);
  anew.pass(7, 100);
  assert.deepEqual(recorder.tick(11_200, [anew.reading()]), []);
  anew.pass(7, 100);
  const [late] = recorder.tick(14_000, [anew.reading()]);
  assert.deepEqual([late!.spanMs, figure(late!, Figure.REQUESTS)], [3_000, 14]);
});

test('tick() leaves out series that rest and are not in traffic', () => {
  const recorder = new HistoryRecorder();
  const source = new Source();
  const resting = { ...source.reading(0), up: 0 };
  recorder.tick(1_000, [resting]);
  assert.deepEqual(recorder.tick(2_000, [resting])[0]?.keys, []);
});
