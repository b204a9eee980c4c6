import { fitCurve, type LoadPoint } from './fit-curve.ts';
import { inServerAt, loadAt, type QueueCurve, saturationOf } from './queue-curve.ts';

/** One measurement of one server over some time. */
export interface ServerMeasure {
  /** Requests that it answered. */
  readonly requests: number;
  readonly spanMs: number;
  /** Mean of what was in it. */
  readonly inServer: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

/** What measurements tell of a server's capacity. */
export type ServerCapacity = KnownCapacity | UnknownCapacity;

/** A curve that the measurements determine. */
export interface KnownCapacity {
  readonly isKnown: true;
  readonly curve: QueueCurve;
  /** Requests per second at which it is busy all the time, with the bounds of nine in ten cases. */
  readonly saturation: number;
  readonly low: number;
  readonly high: number;
  /** Highest rate seen. */
  readonly rateMax: number;
  /** p99 in ms as the sum of a constant and a share of the wait; see `p99At`. */
  readonly p99: { readonly restMs: number; readonly perWait: number };
}

/** Measurements that do not determine one. */
export interface UnknownCapacity {
  readonly isKnown: false;
  /** In words. */
  readonly why: string;
  /** Requests per second that it has answered. */
  readonly atLeast: number;
}

/** Fewer requests or measurements say nothing of a curve. */
const REQUESTS_MIN = 2_000;
const MEASURES_MIN = 20;
/** The highest load must be so many times the lowest, or there is no curve to see. */
const SPREAD_MIN = 1.5;
/** So much longer must requests take at the highest load, or the end is not in sight. */
const WAIT_MIN = 0.03;
/** The widest bounds, high over low, that are still an answer. */
const BOUNDS_MAX = 1.5;
const GROUPS = 120;
const REPLICATES = 24;

/**
 * Fits a curve to measurements of alike servers and says how sure it is, or why it cannot.
 * `random`: for the bootstrap that makes the bounds. Cost: some 100 ms.
 */
export function measureServer(
  measures: readonly ServerMeasure[],
  random: () => number,
): ServerCapacity {
  const busy = measures.filter(({ requests, inServer }) => requests > 0 && inServer > 0);
  const requests = busy.reduce((sum, measure) => sum + measure.requests, 0);
  const rates = busy.map(rateOf).sort((a, b) => a - b);
  const rateMax = quantileOf(rates, 0.998);
  const unknown = (why: string): UnknownCapacity => ({ isKnown: false, why, atLeast: rateMax });
  if (busy.length < MEASURES_MIN || requests < REQUESTS_MIN) {
    return unknown(`there are only ${requests} requests in ${busy.length} measurements`);
  }
  if (rateMax < SPREAD_MIN * quantileOf(rates, 0.05)) {
    return unknown('the load was flat: how time grows with load cannot be seen');
  }
  const sorted = [...busy].sort((a, b) => rateOf(a) - rateOf(b));
  const { serviceMs, variability } = restOf(sorted);
  const start = { serviceMs, variability, rateMax };
  const curve = fitCurve(grouped(sorted), start);
  const saturation = saturationOf(curve);
  const top = grouped(sorted).at(-1) as LoadPoint;
  const wait = (top.inServer / top.rate) * 1_000 - curve.serviceMs;
  if (wait < WAIT_MIN * curve.serviceMs) {
    return unknown('requests took hardly longer at the highest load: the limit is not in sight');
  }
  const { low, high } = boundsOf(
    sorted,
    { ...start, serviceMs: curve.serviceMs },
    saturation,
    random,
  );
  if (high > BOUNDS_MAX * low || saturation > 4 * rateMax) {
    return unknown('the measurements fit very different limits');
  }
  return { isKnown: true, curve, saturation, low, high, rateMax, p99: fitP99(sorted, curve) };
}

/** p99 in ms at a rate below saturation. */
export function p99At({ curve, saturation, p99 }: KnownCapacity, rate: number): number {
  return p99.restMs + p99.perWait * waitAt(curve, Math.min(rate / saturation, 0.999));
}

/** Highest rate at which p99 stays within a target; 0 where it never does. */
export function rateForP99(capacity: KnownCapacity, targetMs: number): number {
  let low = 0;
  let high = capacity.saturation * 0.999;
  if (p99At(capacity, 0) > targetMs) return 0;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (p99At(capacity, middle) <= targetMs) low = middle;
    else high = middle;
  }
  return low;
}

function rateOf({ requests, spanMs }: ServerMeasure): number {
  return (requests * 1_000) / spanMs;
}

/** Mean wait at a load, ms. */
function waitAt(curve: QueueCurve, load: number): number {
  if (load <= 0) return 0;
  return (
    ((inServerAt(curve, load) - curve.places * load) * curve.serviceMs) / (curve.places * load)
  );
}

/** Service time and variability as the quietest tenth shows them. Sorted by rate. */
function restOf(sorted: readonly ServerMeasure[]): { serviceMs: number; variability: number } {
  const quiet = sorted.slice(0, Math.max(5, Math.ceil(sorted.length / 10)));
  let inServer = 0;
  let rate = 0;
  let p50 = 0;
  let p90 = 0;
  for (const measure of quiet) {
    inServer += measure.inServer;
    rate += rateOf(measure);
    p50 += measure.p50Ms;
    p90 += measure.p90Ms;
  }
  // As of a Weibull spread of shape k = ln(ln 10 / ln 2) / ln(p90 / p50), whose variation is about
  // k^-0.926: 0 for regular work, 1 for exponential.
  const flatness = p50 > 0 && p90 > p50 ? Math.log(p90 / p50) / Math.log(Math.LN10 / Math.LN2) : 0;
  const workVariation = Math.min(9, flatness ** 1.852);
  return { serviceMs: (inServer / rate) * 1_000, variability: (1 + workVariation) / 2 };
}

/** Neighbours in rate together: the fit is quick, and chance cancels out. Sorted by rate. */
function grouped(sorted: readonly ServerMeasure[]): LoadPoint[] {
  const size = Math.max(1, Math.ceil(sorted.length / GROUPS));
  const groups: LoadPoint[] = [];
  for (let from = 0; from < sorted.length; from += size) {
    let requests = 0;
    let spanMs = 0;
    let inServerMs = 0;
    for (const measure of sorted.slice(from, from + size)) {
      requests += measure.requests;
      spanMs += measure.spanMs;
      inServerMs += measure.inServer * measure.spanMs;
    }
    const rate = (requests * 1_000) / spanMs;
    groups.push({ rate, inServer: inServerMs / spanMs, weight: requests });
  }
  return groups;
}

/** Bounds of nine in ten by fitting drawn sets of measurements anew. */
function boundsOf(
  sorted: readonly ServerMeasure[],
  start: { readonly serviceMs: number; readonly variability: number; readonly rateMax: number },
  saturation: number,
  random: () => number,
): { readonly low: number; readonly high: number } {
  const found: number[] = [];
  for (let i = 0; i < REPLICATES; i++) {
    const drawn = sorted.map(() => sorted[Math.floor(random() * sorted.length)] as ServerMeasure);
    drawn.sort((a, b) => rateOf(a) - rateOf(b));
    found.push(saturationOf(fitCurve(grouped(drawn), start, [saturation / start.rateMax])));
  }
  found.sort((a, b) => a - b);
  // A reserve for the formula itself, which exponential work was seen to exceed (decision 0075).
  return { low: quantileOf(found, 0.05) * 0.97, high: quantileOf(found, 0.95) * 1.03 };
}

/** Least squares of p99 over the mean wait; a p99 does not fall with load. */
function fitP99(sorted: readonly ServerMeasure[], curve: QueueCurve): KnownCapacity['p99'] {
  let count = 0;
  let waits = 0;
  let times = 0;
  let squares = 0;
  let products = 0;
  for (const measure of sorted) {
    const load = loadAt(curve, measure.inServer);
    // Beyond, a backlog grows: its times tell how long it lasted, not what the load was.
    if (load > 0.97) continue;
    const wait = waitAt(curve, load);
    const weight = measure.requests;
    count += weight;
    waits += weight * wait;
    times += weight * measure.p99Ms;
    squares += weight * wait * wait;
    products += weight * wait * measure.p99Ms;
  }
  if (count === 0) return { restMs: 0, perWait: 1 };
  const spread = squares - (waits * waits) / count;
  const perWait = spread > 0 ? Math.max(0, (products - (waits * times) / count) / spread) : 0;
  return { restMs: Math.max(0, (times - perWait * waits) / count), perWait };
}

function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}
