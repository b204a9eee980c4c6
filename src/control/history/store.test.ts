import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Figure, figureCount, historyTiers, type SeriesKey } from '../../model/history.ts';
import { HistoryDatabase, isHeldByAnother } from '../../platform/history-database.ts';
import type { RecordedRow } from './recorder.ts';
import { anySeries, HistoryStore } from './store.ts';

const keys: readonly SeriesKey[] = [
  { kind: 'pool', pool: '', name: 'web' },
  { kind: 'server', pool: 'web', name: 'a:1' },
];
const all = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

function rowOf(tier: number, atMs: number, requests: number, of = keys): RecordedRow {
  const figures = new Float64Array(of.length * figureCount);
  for (let at = 0; at < figures.length; at += figureCount) {
    figures[at + Figure.REQUESTS] = requests;
    figures[at + Figure.P99_US] = requests * 100;
  }
  return { tier, atMs, spanMs: historyTiers[tier]!.stepMs, keys: of, figures };
}

function fileOf(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-history-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'history.db');
}

test('read() gives the points of a time and of the series that are meant', () => {
  const store = new HistoryStore(new HistoryDatabase(null), 1e9);
  for (let at = 1; at <= 5; at++) store.append(rowOf(0, at * 1_000, at));
  const found = store.read(0, { fromMs: 1_000, toMs: 4_000 }, { ...anySeries, kind: 'server' });
  assert.deepEqual(
    found.map(({ key, points }) => [
      key.name,
      points.map((point) => [point.atMs, point.figures[0]]),
    ]),
    [
      [
        'a:1',
        [
          [2_000, 2],
          [3_000, 3],
          [4_000, 4],
        ],
      ],
    ],
  );
  assert.equal(store.read(0, all, { ...anySeries, pool: 'web' }).length, 2);
  assert.equal(store.read(0, all, { ...anySeries, pool: 'other' }).length, 0);
  store.close();
});

test('read() fills in points where a series rested', () => {
  const store = new HistoryStore(new HistoryDatabase(null), 1e9);
  store.append(rowOf(0, 1_000, 5));
  store.append(rowOf(0, 2_000, 5, [keys[0]!]));
  const [server] = store.read(0, all, { ...anySeries, kind: 'server' });
  assert.deepEqual(
    server?.points.map(({ figures }) => figures[0]),
    [5, 0],
  );
  store.close();
});

test('a store opened anew has what was committed, under the same series', (context) => {
  const path = fileOf(context);
  const store = new HistoryStore(new HistoryDatabase(path), 1e9);
  store.append(rowOf(1, 10_000, 3));
  store.close();
  const anew = new HistoryStore(new HistoryDatabase(path), 1e9);
  anew.append(rowOf(1, 20_000, 4));
  const counts = anew.read(1, all, anySeries).map(({ key, points }) => ({
    name: key.name,
    requests: points.map(({ figures }) => figures[Figure.REQUESTS]),
  }));
  assert.deepEqual(counts, [
    { name: 'web', requests: [3, 4] },
    { name: 'a:1', requests: [3, 4] },
  ]);
  anew.close();
});

test('a file is one process’s alone, and is free when it is closed', (context) => {
  const path = fileOf(context);
  const first = new HistoryDatabase(path);
  assert.throws(
    () => new HistoryDatabase(path),
    (error) => isHeldByAnother(error),
  );
  first.close();
  new HistoryDatabase(path).close();
});

test('mend() makes the coarse rows that a killed process did not come to', () => {
  const store = new HistoryStore(new HistoryDatabase(null), 1e9);
  // Killed at 12:00:47: rows of 1 s to the end, of 10 s to :40, none of 5 min.
  const noonMs = 43_200_000;
  for (let s = 1; s <= 47; s++) store.append(rowOf(0, noonMs + s * 1_000, 1));
  for (let s = 10; s <= 40; s += 10) store.append(rowOf(1, noonMs + s * 1_000, 10));
  store.mend();
  const [tens] = store.read(1, all, { ...anySeries, kind: 'pool' });
  const [fives] = store.read(2, all, { ...anySeries, kind: 'pool' });
  assert.deepEqual(
    tens?.points.map(({ figures }) => figures[Figure.REQUESTS]),
    [10, 10, 10, 10, 7],
  );
  assert.deepEqual(
    fives?.points.map(({ atMs, spanMs, figures }) => [atMs, spanMs, figures[Figure.REQUESTS]]),
    [[noonMs + 47_000, 47_000, 47]],
  );
  store.mend();
  assert.equal(store.read(2, all, { ...anySeries, kind: 'pool' })[0]?.points.length, 1);
  store.close();
});

test('what is older than a tier keeps goes', () => {
  const store = new HistoryStore(new HistoryDatabase(null), 1e9);
  const dayMs = 86_400_000;
  for (let day = 0; day <= 70; day++) {
    store.append(rowOf(1, day * dayMs + 10_000, 1));
    store.append(rowOf(2, day * dayMs + 300_000, 1));
  }
  assert.equal(store.edges(1)?.firstMs, 70 * dayMs + 10_000);
  // Looked for at 70 days and 10 s: that of five minutes after the tenth day is not yet 60 days old.
  assert.equal(store.edges(2)?.firstMs, 10 * dayMs + 300_000);
  store.close();
});

test('60 days of 50 servers take less than 200 MB on disk', { timeout: 120_000 }, (context) => {
  const path = fileOf(context);
  const store = new HistoryStore(new HistoryDatabase(path), 200e6);
  // One pool, 50 servers and five routes under load. Rows of a tier are as large as one another: a
  // twelfth of them is written, and counted twelve times.
  const part = 12;
  const many: SeriesKey[] = [
    { kind: 'pool', pool: '', name: 'web' },
    ...Array.from({ length: 5 }, (_, i) => ({ kind: 'route', pool: '', name: `r${i}` }) as const),
    ...Array.from(
      { length: 50 },
      (_, i) => ({ kind: 'server', pool: 'web', name: `10.0.0.${i}:3000` }) as const,
    ),
  ];
  const busy = [30_000, 12, 9e6, 9e7, 6e9, 40, 30, 2, 21_000, 90, 1_000, 9_000, 30_000, 90_000];
  const figures = new Float64Array(many.flatMap(() => busy));
  const endMs = 60 * 86_400_000;
  for (const [tier, { stepMs, keptMs }] of historyTiers.entries()) {
    for (let at = 0; at < keptMs / stepMs / part; at++) {
      store.append({ tier, atMs: endMs + at * stepMs, spanMs: stepMs, keys: many, figures });
    }
  }
  store.close();
  const megabytes = (statSync(path).size * part) / 1e6;
  context.diagnostic(`${megabytes.toFixed(1)} MB`);
  assert.ok(megabytes < 200);
  assert.ok(megabytes > 20, 'it was written');
});
