/** One pool, route or server over one hour. Rates in requests per second. */
export interface HourFigures {
  /** Its end. */
  readonly atMs: number;
  readonly spanMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly p99Ms: number;
  readonly waits: number;
  readonly retries: number;
  readonly refused: number;
  readonly inFlightMax: number;
  /** Servers in traffic, mean. */
  readonly up: number;
}

/** Hours of one owner. */
export interface OwnerHours {
  readonly name: string;
  readonly hours: readonly HourFigures[];
  /** Highest rate of five minutes, and when. */
  readonly peak: { readonly rate: number; readonly atMs: number } | null;
}

/** A pool with its servers. */
export interface PoolHours extends OwnerHours {
  readonly servers: readonly OwnerHours[];
  readonly serversNow: number;
  /** What all servers together can be given, requests per second; null = not known. */
  readonly usableRate: number | null;
  /** Share of requests that shall succeed. */
  readonly successTarget: number;
}

/** An hour of a report. */
export interface BusyHour {
  readonly atMs: number;
  readonly rate: number;
  readonly errorRatio: number;
  readonly p99Ms: number;
  /** What limited it, in words. */
  readonly limitedBy: string;
}

/** What was of one pool. */
export interface PoolReport {
  readonly name: string;
  readonly requests: number;
  readonly meanRate: number;
  readonly peak: { readonly rate: number; readonly atMs: number } | null;
  readonly peakToMean: number | null;
  /** Most requests first. */
  readonly busiest: readonly BusyHour[];
  readonly errors: number;
  /** Of the errors that the objective allows, the share that was used: above 1 it is missed. */
  readonly budgetUsed: number | null;
  readonly successTarget: number;
  readonly servers: readonly TrafficShare[];
  /** Highest share over the mean one: 1 is level. Null with less than two servers. */
  readonly imbalance: number | null;
}

/** The part of one server or route. */
export interface TrafficShare {
  readonly name: string;
  readonly requests: number;
  readonly share: number;
  readonly errorRatio: number;
  readonly p99Ms: number;
}

const BUSIEST = 5;

/** Sums a pool's hours up. Cost: linear. */
export function reportPool(pool: PoolHours): PoolReport {
  const requests = sumOf(pool.hours, 'requests');
  const errors = sumOf(pool.hours, 'errors');
  const spanMs = sumOf(pool.hours, 'spanMs');
  const meanRate = spanMs === 0 ? 0 : (requests * 1_000) / spanMs;
  const allowed = requests * (1 - pool.successTarget);
  const servers = sharesOf(pool.servers);
  const most = Math.max(0, ...servers.map(({ share }) => share));
  return {
    name: pool.name,
    requests,
    meanRate,
    peak: pool.peak,
    peakToMean: pool.peak === null || meanRate === 0 ? null : pool.peak.rate / meanRate,
    busiest: [...pool.hours]
      .filter((hour) => hour.requests > 0)
      .sort((a, b) => rateOf(b) - rateOf(a))
      .slice(0, BUSIEST)
      .map((hour) => busyHour(hour, pool)),
    errors,
    budgetUsed: requests === 0 ? null : errors === 0 ? 0 : errors / Math.max(allowed, 1e-9),
    successTarget: pool.successTarget,
    servers,
    imbalance: servers.length < 2 || requests === 0 ? null : most * servers.length,
  };
}

/** Parts of all, largest first. */
export function sharesOf(owners: readonly OwnerHours[]): TrafficShare[] {
  const all = owners.reduce((sum, { hours }) => sum + sumOf(hours, 'requests'), 0);
  return owners
    .map(({ name, hours }) => {
      const requests = sumOf(hours, 'requests');
      const errors = sumOf(hours, 'errors');
      return {
        name,
        requests,
        share: all === 0 ? 0 : requests / all,
        errorRatio: requests === 0 ? 0 : errors / requests,
        p99Ms: meanP99(hours, requests),
      };
    })
    .sort((a, b) => b.requests - a.requests);
}

function busyHour(hour: HourFigures, pool: PoolHours): BusyHour {
  return {
    atMs: hour.atMs,
    rate: rateOf(hour),
    errorRatio: hour.errors / hour.requests,
    p99Ms: hour.p99Ms,
    limitedBy: limitOf(hour, pool),
  };
}

/** Every hundredth request is more than an accident. */
const NOTED = 0.01;
/** So many times the usual p99 is slow. */
const SLOW = 2;

/** What stood in the way of an hour, the hardest limit first. */
function limitOf(hour: HourFigures, pool: PoolHours): string {
  const { requests, refused, waits, errors, up } = hour;
  const percent = (part: number): string => `${((100 * part) / requests).toFixed(1)} %`;
  const missing = pool.serversNow - up;
  if (refused > NOTED * requests) return `no server to be had for ${percent(refused)}`;
  if (waits > NOTED * requests) {
    return `places: ${percent(waits)} waited in the queue (maxConnections)`;
  }
  if (missing >= 0.5) return `${missing.toFixed(1)} of ${pool.serversNow} servers were out`;
  if (pool.usableRate !== null && rateOf(hour) > pool.usableRate) {
    return 'the servers: above the load that they shall have';
  }
  if (errors > NOTED * requests) return `errors: ${percent(errors)}`;
  const usual = meanP99(pool.hours, sumOf(pool.hours, 'requests'));
  if (usual > 0 && hour.p99Ms > SLOW * usual) {
    return `the servers: p99 was ${(hour.p99Ms / usual).toFixed(1)} times the usual`;
  }
  return 'nothing: there was room';
}

function rateOf({ requests, spanMs }: HourFigures): number {
  return spanMs === 0 ? 0 : (requests * 1_000) / spanMs;
}

function meanP99(hours: readonly HourFigures[], requests: number): number {
  const weighted = hours.reduce((sum, hour) => sum + hour.p99Ms * hour.requests, 0);
  return requests === 0 ? 0 : weighted / requests;
}

function sumOf(hours: readonly HourFigures[], of: 'requests' | 'errors' | 'spanMs'): number {
  return hours.reduce((sum, hour) => sum + hour[of], 0);
}
