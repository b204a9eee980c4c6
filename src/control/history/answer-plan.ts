import { createRandom } from '../../base/prng.ts';
import type { RatePoint } from '../../capacity/forecast.ts';
import type { ServerMeasure } from '../../capacity/measure-server.ts';
import { type PoolPast, type PoolPlan, planPool } from '../../capacity/plan-pool.ts';
import {
  Figure,
  type HistoryPoint,
  type HistorySeries,
  historyTiers,
} from '../../model/history.ts';
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
  const toMs = nowMs + STEP_MS;
  const ofPool = { ...anySeries, pool, kind: 'pool' } as const;
  const coarse = store.read(2, { fromMs: 0, toMs }, ofPool);
  const isShort = spanOf(coarse) < COARSE_MS;
  const tier = isShort ? 1 : 2;
  const span = { fromMs: nowMs - (isShort ? DAY_MS : MEASURED_MS), toMs };
  const long = isShort ? store.read(tier, { ...span, stepMs: STEP_MS }, ofPool) : coarse;
  const last = store.read(0, { fromMs: nowMs - NOW_MS, toMs }, ofPool)[0]?.points ?? [];
  return { measures: measuresOf(store, tier, span, pool), rates: ratesOf(long), now: nowOf(last) };
}

function spanOf(series: readonly HistorySeries[]): number {
  return (series[0]?.points ?? []).reduce((sum, { spanMs }) => sum + spanMs, 0);
}

/** So many measurements determine a curve as well as all; evenly spread rows of the time are taken. */
const MEASURES_MAX = 20_000;

function measuresOf(
  store: HistoryStore,
  tier: number,
  span: { readonly fromMs: number; readonly toMs: number },
  pool: string,
): ServerMeasure[] {
  const servers = store.countOf({ ...anySeries, pool, kind: 'server' });
  const rows = (span.toMs - span.fromMs) / historyTiers[tier]!.stepMs;
  const every = Math.max(1, Math.ceil((rows * servers) / MEASURES_MAX));
  const measures: ServerMeasure[] = [];
  // A pool's series is older than those of its servers, so its points of a row come first.
  let waitedMs = 0;
  store.scan(tier, { ...span, every }, { ...anySeries, pool }, ({ kind }, point) => {
    if (kind === 'pool' && point.figures[Figure.WAITS]! > 0) waitedMs = point.atMs;
    if (kind === 'server') measures.push(measureOf(point, waitedMs === point.atMs));
  });
  return measures;
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
