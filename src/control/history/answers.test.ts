import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../base/prng.ts';
import { SyntheticService } from '../../capacity/synthetic-service.fixture.ts';
import { Figure, figureCount, type SeriesKey } from '../../model/history.ts';
import { HistoryDatabase } from '../../platform/history-database.ts';
import { answerSeries } from './answer.ts';
import { answerPlan } from './answer-plan.ts';
import { answerReport } from './answer-report.ts';
import { HistoryStore } from './store.ts';

const DAY_MS = 86_400_000;
const STEP_MS = 300_000;
const startMs = Date.UTC(2026, 9, 5);
const days = 2;
const endMs = startMs + days * DAY_MS;
const keys: readonly SeriesKey[] = [
  { kind: 'pool', pool: '', name: 'web' },
  { kind: 'server', pool: 'web', name: 'a:1' },
  { kind: 'server', pool: 'web', name: 'b:1' },
  { kind: 'route', pool: '', name: 'everything' },
];
const aims = {
  name: 'web',
  serversUp: 2,
  connectionsMax: 0,
  p99TargetMs: null,
  loadMax: 0.8,
  successTarget: 0.999,
};

/**
 * Two days of a pool of two servers, 80/s each, up to 90 % of it at noon; in the second day's
 * twelfth hour a hundredth of all fails and one server is out half of the time.
 */
function recorded(): HistoryStore {
  const store = new HistoryStore(new HistoryDatabase(null), 1e9);
  const random = createRandom(3);
  const service = new SyntheticService({ places: 4, serviceMs: 50, work: 'exponential' }, random);
  for (let atMs = startMs + STEP_MS; atMs <= endMs; atMs += STEP_MS) {
    const share = 0.3 + 0.6 * Math.sin((Math.PI * (atMs % DAY_MS)) / DAY_MS);
    const seen = service.run(80 * share, 30_000);
    const isBad =
      atMs > startMs + DAY_MS + 11.01 * 3_600_000 && atMs <= startMs + DAY_MS + 12 * 3_600_000;
    const figures = new Float64Array(keys.length * figureCount);
    // Half a minute is simulated and counted ten times; pool and route have both servers.
    for (const [index, factor] of [20, 10, 10, 20].entries()) {
      const of = index * figureCount;
      figures[of + Figure.REQUESTS] = seen.requests * factor;
      figures[of + Figure.ERRORS] = isBad ? seen.requests * factor * 0.02 : 0;
      figures[of + Figure.BUSY_US] = seen.busyMs * factor * 1_000;
      figures[of + Figure.UP] = index === 0 ? (isBad ? 1_500 : 2_000) : 1_000;
      figures[of + Figure.P50_US] = seen.p50Ms * 1_000;
      figures[of + Figure.P90_US] = seen.p90Ms * 1_000;
      figures[of + Figure.P99_US] = seen.p99Ms * 1_000;
    }
    store.append({ tier: 2, atMs, spanMs: STEP_MS, keys, figures });
  }
  store.commit();
  return store;
}

const store = recorded();

test('answerPlan() makes of recorded rows what planPool() needs', () => {
  const asked = { ask: 'plan', nowMs: endMs, growth: 2, untilMs: null, pools: [aims] } as const;
  const [plan] = answerPlan(store, asked).pools;
  assert.ok(plan?.server.isKnown, JSON.stringify(plan));
  assert.ok(Math.abs(plan.server.saturation - 80) < 8, `${plan.server.saturation}`);
  // Two servers at 90 % of 80/s: 144/s, of which chance of half a minute makes some per cent more.
  assert.ok(Math.abs((plan.peak?.rate ?? 0) - 144) < 22, `${plan.peak?.rate}`);
  // 288/s at 64/s each are 4.5 servers, or one more or less as chance has it.
  assert.ok(Math.abs((plan.wanted?.servers ?? 0) - 5) <= 1);
  assert.equal(plan.forecast.isKnown, false);
});

test('answerReport() tells busiest hours, what limited them, shares and the error budget', () => {
  const asked = { ask: 'report', fromMs: startMs, toMs: endMs, pools: [aims] } as const;
  const report = answerReport(store, asked);
  assert.equal(report.knownMs, days * DAY_MS);
  const [pool] = report.pools;
  assert.ok(pool !== undefined);
  assert.equal(pool.busiest.length, 5);
  assert.ok(pool.busiest[0]!.rate >= pool.busiest[4]!.rate);
  const bad = pool.busiest.find(({ atMs }) => atMs === startMs + DAY_MS + 12 * 3_600_000);
  assert.equal(bad?.limitedBy, '0.5 of 2 servers were out');
  assert.ok(Math.abs((bad?.errorRatio ?? 0) - 0.02) < 1e-3);
  // 2 % of an hour of 48, above the mean, with 0.1 % allowed.
  assert.ok(pool.budgetUsed !== null && pool.budgetUsed > 0.5 && pool.budgetUsed < 0.9);
  // (0.3 + 0.6) over (0.3 + 0.6 · 2/π).
  assert.ok(Math.abs((pool.peakToMean ?? 0) - 1.32) < 0.2, `${pool.peakToMean}`);
  assert.deepEqual(
    pool.servers.map(({ name, share }) => [name, share]),
    [
      ['a:1', 0.5],
      ['b:1', 0.5],
    ],
  );
  assert.equal(pool.imbalance, 1);
  assert.deepEqual(
    report.routes.map(({ name, share }) => [name, share]),
    [['everything', 1]],
  );
  assert.equal(report.hours.length, 48);
});

test('answerSeries() folds points until they are as long as was asked', () => {
  const question = { ask: 'series', kind: 'pool', pool: null, name: null } as const;
  const times = { fromMs: startMs, toMs: endMs };
  const fine = answerSeries(store, { ...question, ...times, stepMs: null });
  assert.deepEqual([fine.tier, fine.stepMs, fine.series[0]?.points.length], ['5m', STEP_MS, 576]);
  // What was before anything was recorded makes no point longer.
  const early = answerSeries(store, { ...question, fromMs: 0, toMs: endMs, stepMs: null });
  assert.deepEqual([early.stepMs, early.series[0]?.points.length], [STEP_MS, 576]);
  const hourly = answerSeries(store, { ...question, ...times, stepMs: 3_600_000 });
  assert.equal(hourly.series[0]?.points.length, 48);
  const sum = (answer: typeof fine): number =>
    answer.series[0]!.points.reduce((total, point) => total + point[2]!, 0);
  assert.equal(sum(hourly), sum(fine));
});
