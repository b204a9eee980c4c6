import { createRandom } from '../../base/prng.ts';
import type { RatePoint } from '../../capacity/forecast.ts';
import type { ServerMeasure } from '../../capacity/measure-server.ts';
import { type PoolPast, type PoolPlan, planPool } from '../../capacity/plan-pool.ts';
import { Figure, type HistoryPoint, type HistorySeries } from '../../model/history.ts';
import { foldBy, foldPoints } from './fold.ts';
import type { PlanAsked } from './questions.ts';
import { anySeries, type HistoryStore } from './store.ts';

/** The answer to `GET /v1/plan`. */
export interface PlanAnswer {
  readonly nowMs: number;
  readonly growth: number | null;
  readonly untilMs: number | null;
  readonly pools: readonly PoolPlan[];
}

const DAY_MS = 86_400_000;
/** Servers are judged by so much of their past: older figures are of older programs. */
const MEASURED_MS = 14 * DAY_MS;
/** Below so much of it, shorter points are taken: those of ten seconds of the last day. */
const COARSE_MS = DAY_MS / 2;
const NOW_MS = 60_000;
const STEP_MS = 300_000;
/** The same draws each time: who asks twice gets one answer. */
const SEED = 20_261_121;

/** Plans each pool that is asked for out of what history has of it. Cost: seconds at many pools. */
export function answerPlan(store: HistoryStore, asked: PlanAsked): PlanAnswer {
  const { nowMs, growth, untilMs } = asked;
  const question = { nowMs, growth, untilMs };
  const pools = asked.pools.map((facts) =>
    planPool(facts, pastOf(store, facts.name, nowMs), question, createRandom(SEED)),
  );
  return { nowMs, growth, untilMs, pools };
}

function pastOf(store: HistoryStore, pool: string, nowMs: number): PoolPast {
  const filter = { ...anySeries, pool };
  const until = { toMs: nowMs + STEP_MS };
  const coarse = store.read(2, { fromMs: nowMs - MEASURED_MS, ...until }, filter);
  const isShort = spanOf(coarse) < COARSE_MS;
  const measured = isShort ? store.read(1, { fromMs: nowMs - DAY_MS, ...until }, filter) : coarse;
  const ofPool = { ...filter, kind: 'pool' } as const;
  const long = isShort ? measured : store.read(2, { fromMs: 0, ...until }, ofPool);
  const last = store.read(0, { fromMs: nowMs - NOW_MS, ...until }, ofPool)[0]?.points ?? [];
  return { measures: measuresOf(measured), rates: ratesOf(long), now: nowOf(last) };
}

function spanOf(series: readonly HistorySeries[]): number {
  const points = series.find(({ key }) => key.kind === 'pool')?.points ?? [];
  return points.reduce((sum, { spanMs }) => sum + spanMs, 0);
}

function measuresOf(series: readonly HistorySeries[]): ServerMeasure[] {
  const pool = series.find(({ key }) => key.kind === 'pool')?.points ?? [];
  const waited = new Set(
    pool.filter(({ figures }) => figures[Figure.WAITS]! > 0).map(({ atMs }) => atMs),
  );
  return series
    .filter(({ key }) => key.kind === 'server')
    .flatMap(({ points }) => points.map((point) => measureOf(point, waited.has(point.atMs))));
}

function measureOf({ spanMs, figures }: HistoryPoint, hasWaited: boolean): ServerMeasure {
  const busy = figures[Figure.BUSY_US]! / 1_000 / spanMs;
  // Durations hold the time in our own queue, in which a request is not yet in any server.
  const inServer = hasWaited ? figures[Figure.IN_FLIGHT]! / 1_000 : busy;
  return {
    requests: figures[Figure.REQUESTS]!,
    spanMs,
    inServer,
    p50Ms: figures[Figure.P50_US]! / 1_000,
    p90Ms: figures[Figure.P90_US]! / 1_000,
    p99Ms: figures[Figure.P99_US]! / 1_000,
  };
}

function ratesOf(series: readonly HistorySeries[]): RatePoint[] {
  const points = series.find(({ key }) => key.kind === 'pool')?.points ?? [];
  return foldBy(points, STEP_MS).map(({ atMs, spanMs, figures }) => ({
    atMs,
    spanMs,
    rate: (figures[Figure.REQUESTS]! * 1_000) / spanMs,
  }));
}

function nowOf(points: readonly HistoryPoint[]): PoolPast['now'] {
  const { spanMs, figures } = foldPoints(points);
  const requests = figures[Figure.REQUESTS]!;
  if (requests === 0) return { rate: 0, meanMs: 0 };
  return { rate: (requests * 1_000) / spanMs, meanMs: figures[Figure.BUSY_US]! / 1_000 / requests };
}
