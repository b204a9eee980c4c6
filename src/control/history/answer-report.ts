import {
  type HourFigures,
  type OwnerHours,
  type PoolHours,
  type PoolReport,
  reportPool,
  sharesOf,
  type TrafficShare,
} from '../../capacity/traffic-report.ts';
import {
  Figure,
  type HistoryPoint,
  type HistorySeries,
  historyTiers,
} from '../../model/history.ts';
import { answerPlan } from './answer-plan.ts';
import { foldBy } from './fold.ts';
import type { ReportAsked } from './questions.ts';
import { anySeries, type HistoryStore } from './store.ts';

/** The answer to `GET /v1/report`. */
export interface ReportAnswer {
  readonly fromMs: number;
  readonly toMs: number;
  /** Time of it that history has, ms. */
  readonly knownMs: number;
  readonly pools: readonly PoolReport[];
  readonly routes: readonly TrafficShare[];
  /** Rate of all pools by hour, for a chart: end of the hour, requests per second. */
  readonly hours: readonly (readonly [atMs: number, rate: number])[];
}

const HOUR_MS = 3_600_000;
const PEAK_MS = 300_000;

/** Reads the time from the finest tier that need not be cut: minutes ago in seconds, months in minutes. */
export function answerReport(store: HistoryStore, asked: ReportAsked): ReportAnswer {
  const { fromMs, toMs, pools } = asked;
  const series = store.read(tierOf(store, asked), { fromMs, toMs, stepMs: PEAK_MS }, anySeries);
  const ofPools = series.filter(({ key }) => key.kind === 'pool');
  const plans = answerPlan(store, { ask: 'plan', nowMs: toMs, growth: null, untilMs: null, pools });
  const reports = ofPools.map((pool): PoolReport => {
    const facts = pools.find(({ name }) => name === pool.key.name);
    const plan = plans.pools.find((each) => each.pool === pool.key.name);
    const servers = series.filter(({ key }) => key.kind === 'server' && key.pool === pool.key.name);
    const serversNow = facts?.serversUp ?? 0;
    const usable = plan?.usable ?? null;
    const hours: PoolHours = {
      ...hoursOf(pool),
      servers: servers.map(hoursOf),
      serversNow,
      usableRate: usable === null ? null : usable.rate * serversNow,
      successTarget: facts?.successTarget ?? 1,
    };
    return reportPool(hours);
  });
  const longest = ofPools[0]?.points ?? [];
  return {
    fromMs,
    toMs,
    knownMs: longest.reduce((sum, { spanMs }) => sum + spanMs, 0),
    pools: reports,
    routes: sharesOf(series.filter(({ key }) => key.kind === 'route').map(hoursOf)),
    hours: allHours(ofPools),
  };
}

/** A day in seconds would be much to read; beyond, minutes are fine enough. */
function tierOf(store: HistoryStore, { fromMs }: ReportAsked): number {
  const last = historyTiers.length - 1;
  for (let tier = 1; tier < last; tier++) {
    const edges = store.edges(tier);
    const coarser = store.edges(tier + 1);
    if (edges === null) continue;
    const hasAll = edges.firstMs - historyTiers[tier]!.stepMs <= fromMs;
    if (hasAll || coarser === null || edges.firstMs <= coarser.firstMs) return tier;
  }
  return last;
}

function hoursOf({ key, points }: HistorySeries): OwnerHours {
  let peak: OwnerHours['peak'] = null;
  for (const point of foldBy(points, PEAK_MS)) {
    const rate = rateOf(point);
    if (rate > (peak?.rate ?? 0)) peak = { rate, atMs: point.atMs };
  }
  return { name: key.name, hours: foldBy(points, HOUR_MS).map(hourOf), peak };
}

function hourOf({ atMs, spanMs, figures }: HistoryPoint): HourFigures {
  return {
    atMs,
    spanMs,
    requests: figures[Figure.REQUESTS]!,
    errors: figures[Figure.ERRORS]!,
    p99Ms: figures[Figure.P99_US]! / 1_000,
    waits: figures[Figure.WAITS]!,
    retries: figures[Figure.RETRIES]!,
    refused: figures[Figure.REFUSED]!,
    inFlightMax: figures[Figure.IN_FLIGHT_MAX]!,
    up: figures[Figure.UP]! / 1_000,
  };
}

function allHours(pools: readonly HistorySeries[]): (readonly [number, number])[] {
  const rates = new Map<number, number>();
  for (const { points } of pools) {
    for (const point of foldBy(points, HOUR_MS)) {
      const at = Math.ceil(point.atMs / HOUR_MS) * HOUR_MS;
      rates.set(at, (rates.get(at) ?? 0) + rateOf(point));
    }
  }
  return [...rates].sort(([a], [b]) => a - b);
}

function rateOf({ spanMs, figures }: HistoryPoint): number {
  return spanMs === 0 ? 0 : (figures[Figure.REQUESTS]! * 1_000) / spanMs;
}
