/** The rate of a pool over some minutes. */
export interface RatePoint {
  readonly atMs: number;
  readonly spanMs: number;
  /** Requests per second. */
  readonly rate: number;
}

/** Peaks of days to come, or why nothing can be said of them. */
export type Forecast = KnownForecast | { readonly isKnown: false; readonly why: string };

/** A straight line through the peaks of days, with a factor for each day of the week. */
export interface KnownForecast {
  readonly isKnown: true;
  /** Days that it is made of. */
  readonly days: number;
  /** Last day of these, in days of the epoch. */
  readonly lastDay: number;
  /** Peak of an average day on the last day, requests per second, and what it grows by a day. */
  readonly level: number;
  readonly growthPerDay: number;
  /** Whether the growth is told from chance: its bounds of nine in ten do not hold 0. */
  readonly isGrowing: boolean;
  /** By day of the week in UTC, Sunday first; mean 1. */
  readonly weekday: readonly number[];
  /** Of one day around the line, and of the growth. */
  readonly spread: number;
  readonly growthSpread: number;
}

const DAY_MS = 86_400_000;
/** A season cannot be told from growth before it has come twice. */
const DAYS_MIN = 14;
/** A day counts with so much of it. */
const DAY_SHARE_MIN = 0.75;
/** So many times what was seen can be looked ahead. */
const AHEAD_MAX = 4;
/** Of a normal distribution: nine in ten lie within. */
const NINE_IN_TEN = 1.645;

/**
 * Fits peaks of days: the third highest point of each whole day, day-of-week factors out of ratios to
 * the running mean of seven days, least squares through what is left. The bounds are widened for
 * neighbouring days that resemble each other (first-order autocorrelation).
 */
export function forecastOf(points: readonly RatePoint[]): Forecast {
  const days = peaksOf(points);
  const first = days[0];
  const last = days.at(-1);
  if (first === undefined || last === undefined || days.length < DAYS_MIN) {
    const spanMs = points.length === 0 ? 0 : points.at(-1)!.atMs - points[0]!.atMs;
    const have =
      spanMs < DAY_MS ? `${(spanMs / 3_600_000).toFixed(1)} hours` : `${days.length} whole days`;
    return { isKnown: false, why: `two weeks of whole days are required, there are ${have}` };
  }
  const weekday = weekdayFactors(days);
  const flat = days.map(({ day, peak }) => ({
    x: day - last.day,
    y: peak / weekday[weekdayOf(day)]!,
  }));
  const line = lineThrough(flat);
  return {
    isKnown: true,
    days: days.length,
    lastDay: last.day,
    level: line.level,
    growthPerDay: line.slope,
    isGrowing: Math.abs(line.slope) > NINE_IN_TEN * line.slopeSpread,
    weekday,
    spread: line.spread,
    growthSpread: line.slopeSpread,
  };
}

/** A day's expected peak with the bounds of nine in ten. */
export interface PeakAhead {
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

/** Expected peak of the busiest day in the week that ends with a day. Errors: why it is too far. */
export function peakAt(
  forecast: KnownForecast,
  atMs: number,
): PeakAhead | { readonly why: string } {
  const ahead = Math.floor(atMs / DAY_MS) - forecast.lastDay;
  if (ahead > AHEAD_MAX * forecast.days) {
    const most = AHEAD_MAX * forecast.days;
    const why = `${ahead} days ahead are more than ${forecast.days} days of history can tell: at most ${most}`;
    return { why };
  }
  const factor = Math.max(...forecast.weekday);
  // What is not told from chance is not carried on into the future, but stays in the bounds.
  const growth = forecast.isGrowing ? forecast.growthPerDay : 0;
  const rate = Math.max(0, forecast.level + growth * ahead) * factor;
  const aside = NINE_IN_TEN * Math.hypot(forecast.spread, forecast.growthSpread * ahead) * factor;
  return { rate, low: Math.max(0, rate - aside), high: rate + aside };
}

/** First time at which the expected peak is above a rate; null when that is not in sight. */
export function whenAbove(forecast: KnownForecast, rate: number): number | null {
  const factor = Math.max(...forecast.weekday);
  if (forecast.level * factor >= rate) return forecast.lastDay * DAY_MS;
  if (!forecast.isGrowing || forecast.growthPerDay <= 0) return null;
  const ahead = (rate / factor - forecast.level) / forecast.growthPerDay;
  return ahead > AHEAD_MAX * forecast.days ? null : (forecast.lastDay + Math.ceil(ahead)) * DAY_MS;
}

interface Day {
  readonly day: number;
  readonly peak: number;
}

function peaksOf(points: readonly RatePoint[]): Day[] {
  const byDay = new Map<number, { spanMs: number; rates: number[] }>();
  for (const { atMs, spanMs, rate } of points) {
    const day = Math.floor((atMs - 1) / DAY_MS);
    const known = byDay.get(day) ?? { spanMs: 0, rates: [] };
    byDay.set(day, known);
    known.spanMs += spanMs;
    known.rates.push(rate);
  }
  return [...byDay]
    .filter(([, { spanMs }]) => spanMs >= DAY_SHARE_MIN * DAY_MS)
    .map(([day, { rates }]) => {
      rates.sort((a, b) => b - a);
      // Not the highest: one moment is chance.
      return { day, peak: rates[Math.min(2, rates.length - 1)]! };
    })
    .sort((a, b) => a.day - b.day);
}

/** The first of January 1970 was a Thursday. */
function weekdayOf(day: number): number {
  return (day + 4) % 7;
}

function weekdayFactors(days: readonly Day[]): number[] {
  const line = lineThrough(days.map(({ day, peak }) => ({ x: day - days.at(-1)!.day, y: peak })));
  const sums = new Float64Array(7);
  const counts = new Float64Array(7);
  const peaks = new Map(days.map(({ day, peak }) => [day, peak]));
  for (const { day, peak } of days) {
    const week = [-3, -2, -1, 0, 1, 2, 3].map((offset) => peaks.get(day + offset));
    const whole = week.filter((value) => value !== undefined);
    const trend = line.level + line.slope * (day - days.at(-1)!.day);
    // At the ends, and where days are missing, the line stands in for the mean of the week.
    const mean = whole.length === 7 ? whole.reduce((a, b) => a + b, 0) / 7 : trend;
    if (mean <= 0) continue;
    sums[weekdayOf(day)]! += peak / mean;
    counts[weekdayOf(day)]! += 1;
  }
  const factors = Array.from(sums, (sum, i) => (counts[i]! > 0 && sum > 0 ? sum / counts[i]! : 1));
  const mean = factors.reduce((a, b) => a + b, 0) / 7;
  return factors.map((factor) => factor / mean);
}

interface Line {
  /** At x = 0. */
  readonly level: number;
  readonly slope: number;
  readonly spread: number;
  readonly slopeSpread: number;
}

function lineThrough(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const n = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  let xx = 0;
  let xy = 0;
  for (const { x, y } of points) {
    xx += (x - meanX) ** 2;
    xy += (x - meanX) * (y - meanY);
  }
  const slope = xx === 0 ? 0 : xy / xx;
  const rest = points.map(({ x, y }) => y - meanY - slope * (x - meanX));
  const squares = rest.reduce((sum, value) => sum + value * value, 0);
  const spread = Math.sqrt(squares / Math.max(1, n - 2));
  let neighbours = 0;
  for (let i = 1; i < n; i++) neighbours += rest[i]! * rest[i - 1]!;
  const likeness = squares === 0 ? 0 : Math.min(0.9, Math.max(0, neighbours / squares));
  const widened = Math.sqrt((1 + likeness) / (1 - likeness));
  const slopeSpread = xx === 0 ? 0 : (spread / Math.sqrt(xx)) * widened;
  return { level: meanY - slope * meanX, slope, spread, slopeSpread };
}
