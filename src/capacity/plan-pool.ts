import {
  forecastOf,
  type KnownForecast,
  type PeakAhead,
  peakAt,
  type RatePoint,
  whenAbove,
} from './forecast.ts';
import {
  type KnownCapacity,
  measureServer,
  p99At,
  rateForP99,
  type ServerCapacity,
  type ServerMeasure,
} from './measure-server.ts';
import { loadAt } from './queue-curve.ts';

/** What a plan must know of a pool besides its past. */
export interface PoolFacts {
  readonly name: string;
  /** Servers in traffic now. */
  readonly serversUp: number;
  /** The lowest `maxConnections` of its servers; 0 = no limit. */
  readonly connectionsMax: number;
  /** p99 that it shall keep, ms; null = none is set. */
  readonly p99TargetMs: number | null;
  /** Share of its saturation that a server shall be loaded to at most. */
  readonly loadMax: number;
}

/** The past of a pool. */
export interface PoolPast {
  /** Of its servers, each as one measurement. */
  readonly measures: readonly ServerMeasure[];
  /** Of the pool as a whole, oldest first. */
  readonly rates: readonly RatePoint[];
  /** The last minutes: rate, and mean time in ms. */
  readonly now: { readonly rate: number; readonly meanMs: number };
}

/** What is asked. */
export interface PlanQuestion {
  /** How many times today's peak; null = as a forecast says. */
  readonly growth: number | null;
  /** For when; null = now. */
  readonly untilMs: number | null;
  readonly nowMs: number;
}

/** What can be said of a pool. Rates in requests per second. */
export interface PoolPlan {
  readonly pool: string;
  readonly serversUp: number;
  readonly now: { readonly rate: number; readonly concurrency: number };
  /** Highest load of the past: its concurrency by Little's law. Null without traffic. */
  readonly peak: { readonly rate: number; readonly atMs: number } | null;
  readonly server: ServerCapacity;
  /** What a server may be given, and what limits it; null where its capacity is not known. */
  readonly usable: UsableRate | null;
  /** Rate of a server at which p99 crosses the target. */
  readonly p99: {
    readonly targetMs: number;
    readonly rate: number;
    readonly atUsableMs: number;
  } | null;
  /** Share of what the servers in traffic can be given that is free now; below 0 it is exceeded. */
  readonly headroomRatio: number | null;
  /** The load that is planned for. */
  readonly wanted: WantedServers | null;
  /** Why there is no `wanted`, or null. */
  readonly whyNot: string | null;
  readonly forecast: ForecastSaid;
}

/** What a server may be given. */
export interface UsableRate {
  readonly rate: number;
  readonly limitedBy: 'load' | 'p99' | 'maxConnections';
}

/** Servers for a load. */
export interface WantedServers {
  readonly rate: number;
  /** That carry it. */
  readonly servers: number;
  /** With one more, so that one may be lost. */
  readonly withOneLost: number;
  /** The same for the bounds of what a server can do, and of the forecast where there is one. */
  readonly low: number;
  readonly high: number;
}

/** What is said of the future. */
export type ForecastSaid =
  | { readonly isKnown: false; readonly why: string }
  | {
      readonly isKnown: true;
      readonly days: number;
      readonly growthPerMonth: number;
      readonly isGrowing: boolean;
      /** Expected peak at the time that was asked for. */
      readonly at: (PeakAhead & { readonly atMs: number }) | null;
      /** When the servers in traffic, one lost, no longer carry the peak; null = not in sight. */
      readonly fullAtMs: number | null;
    };

/** Says of a pool what its past allows to say. Cost: that of `measureServer`. */
export function planPool(
  facts: PoolFacts,
  past: PoolPast,
  question: PlanQuestion,
  random: () => number,
): PoolPlan {
  const server = measureServer(past.measures, random);
  const usable = server.isKnown ? usableOf(server, facts) : null;
  const peak = peakOf(past.rates);
  const forecast = forecastOf(past.rates);
  const ahead = aheadOf(forecast, question);
  const target = targetOf(peak?.rate ?? null, ahead, question);
  const { now } = past;
  return {
    pool: facts.name,
    serversUp: facts.serversUp,
    now: { rate: now.rate, concurrency: (now.rate * now.meanMs) / 1_000 },
    peak,
    server,
    usable,
    p99: server.isKnown && usable !== null ? p99Said(server, usable, facts) : null,
    headroomRatio: usable === null ? null : headroom(now.rate, usable.rate * facts.serversUp),
    wanted:
      server.isKnown && usable !== null && 'rate' in target
        ? wantedOf(server, usable, target)
        : null,
    whyNot: server.isKnown ? ('why' in target ? target.why : null) : server.why,
    forecast: forecastSaid(forecast, ahead, usable, facts),
  };
}

/** Share of `carried` that `rate` leaves free. */
export function headroom(rate: number, carried: number): number {
  return carried <= 0 ? -1 : Math.max(-1, 1 - rate / carried);
}

/** Servers that carry a rate. */
export function serversFor(rate: number, usableRate: number): number {
  return Math.max(1, Math.ceil(rate / usableRate));
}

function usableOf(server: KnownCapacity, facts: PoolFacts): UsableRate {
  const { connectionsMax, p99TargetMs, loadMax } = facts;
  let usable: UsableRate = { rate: server.saturation * loadMax, limitedBy: 'load' };
  if (connectionsMax > 0) {
    const rate = server.saturation * loadAt(server.curve, connectionsMax * loadMax);
    if (rate < usable.rate) usable = { rate, limitedBy: 'maxConnections' };
  }
  if (p99TargetMs !== null) {
    const rate = rateForP99(server, p99TargetMs);
    if (rate < usable.rate) usable = { rate, limitedBy: 'p99' };
  }
  return usable;
}

function p99Said(server: KnownCapacity, usable: UsableRate, facts: PoolFacts): PoolPlan['p99'] {
  if (facts.p99TargetMs === null) return null;
  const targetMs = facts.p99TargetMs;
  return { targetMs, rate: rateForP99(server, targetMs), atUsableMs: p99At(server, usable.rate) };
}

/** Peaks shorter than a five-hundredth of the time (20 minutes a week) are left to the reserve. */
const PEAK_SHARE = 0.998;

function peakOf(rates: readonly RatePoint[]): PoolPlan['peak'] {
  const sorted = rates.filter(({ rate }) => rate > 0).sort((a, b) => a.rate - b.rate);
  const point = sorted[Math.floor(PEAK_SHARE * (sorted.length - 1))];
  return point === undefined ? null : { rate: point.rate, atMs: point.atMs };
}

type Ahead = (PeakAhead & { readonly atMs: number }) | { readonly why: string } | null;

function aheadOf(forecast: ReturnType<typeof forecastOf>, { untilMs }: PlanQuestion): Ahead {
  if (untilMs === null) return null;
  if (!forecast.isKnown) return { why: forecast.why };
  const said = peakAt(forecast, untilMs);
  return 'why' in said ? said : { ...said, atMs: untilMs };
}

type Target = PeakAhead | { readonly why: string };

function targetOf(peak: number | null, ahead: Ahead, { growth }: PlanQuestion): Target {
  if (ahead !== null) {
    if ('why' in ahead) return { why: `Cannot forecast: ${ahead.why}` };
    const factor = growth ?? 1;
    return { rate: ahead.rate * factor, low: ahead.low * factor, high: ahead.high * factor };
  }
  if (peak === null) return { why: 'there was no traffic' };
  const rate = peak * (growth ?? 1);
  return { rate, low: rate, high: rate };
}

function wantedOf(server: KnownCapacity, usable: UsableRate, target: PeakAhead): WantedServers {
  const { saturation, low, high } = server;
  const servers = serversFor(target.rate, usable.rate);
  return {
    rate: target.rate,
    servers,
    withOneLost: servers + 1,
    low: serversFor(target.low, (usable.rate * high) / saturation) + 1,
    high: serversFor(target.high, (usable.rate * low) / saturation) + 1,
  };
}

function forecastSaid(
  forecast: ReturnType<typeof forecastOf>,
  ahead: Ahead,
  usable: UsableRate | null,
  facts: PoolFacts,
): ForecastSaid {
  if (!forecast.isKnown) return { isKnown: false, why: forecast.why };
  if (ahead !== null && 'why' in ahead) return { isKnown: false, why: ahead.why };
  const { days, isGrowing } = forecast;
  const carried = usable === null ? null : usable.rate * Math.max(0, facts.serversUp - 1);
  return {
    isKnown: true,
    days,
    isGrowing,
    growthPerMonth: growthPerMonth(forecast),
    at: ahead,
    fullAtMs: carried === null ? null : whenAbove(forecast, carried),
  };
}

/** As a share of today's level. */
function growthPerMonth({ growthPerDay, level }: KnownForecast): number {
  return level > 0 ? (growthPerDay * 30) / level : 0;
}
