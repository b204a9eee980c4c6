/**
 * What the balancer shows of itself as it happens: `/v1/live`, `/v1/events`, `/v1/tail`, and those who draw
 * it. Plain data for JSON; times are ms of the epoch.
 */

/** What rarely changes; sent whole when anything of it does. Places in its lists are those in a tick's. */
export interface LiveShape {
  readonly version: string;
  readonly startedAtMs: number;
  readonly pid: number;
  readonly driver: string;
  /** Null for the flags form. */
  readonly file: string | null;
  /** Version of the published snapshot. */
  readonly configuration: number;
  readonly isDraining: boolean;
  /** Null where the last reload was taken, or there was none. */
  readonly reloadProblems: readonly string[] | null;
  /** Downstream links allowed in all. */
  readonly connectionsMax: number;
  /** `/v1/history` can be asked. */
  readonly hasHistory: boolean;
  readonly everyMs: number;
  readonly listeners: readonly LiveListener[];
  readonly routes: readonly { readonly name: string; readonly pool: string | null }[];
  readonly pools: readonly LivePool[];
}

/** A listener's lasting part. */
export interface LiveListener {
  readonly name: string;
  readonly address: string;
  readonly protocol: 'http' | 'tcp';
}

/** A pool's lasting part. */
export interface LivePool {
  readonly name: string;
  readonly policy: string;
  readonly condition: string;
  readonly why: string;
  readonly servers: readonly LiveServer[];
}

/** A server's lasting part. */
export interface LiveServer {
  readonly address: string;
  readonly weight: number;
  readonly isBackup: boolean;
  /** 0 = no limit. */
  readonly connectionsMax: number;
  readonly state: string;
  readonly why: string;
  /** When it came into its state; null where that is not known. */
  readonly sinceMs: number | null;
}

/** What changes all the time; lists are in the order of the shape before it. */
export interface LiveTick {
  readonly atMs: number;
  /** Time that the differences are of; 0 in a first tick, whose differences are 0. */
  readonly spanMs: number;
  readonly workers: readonly LiveWorkerTick[];
  /** Of all pools: p50, p90, p99 in µs, -1 where nothing ended in the span. */
  readonly latencyUs: readonly number[];
  readonly listeners: readonly (readonly number[])[];
  readonly routes: readonly (readonly number[])[];
  readonly pools: readonly LivePoolTick[];
}

/** A worker's share of time at work (0–1, null where that is not known) and its replacements. */
export interface LiveWorkerTick {
  readonly state: string;
  readonly busy: number | null;
  readonly restarts: number;
}

/** A pool's figures. `totals` by `PoolFigure`, `servers` by `ServerFigure`. */
export interface LivePoolTick {
  readonly totals: readonly number[];
  /** Ended exchanges of the span by duration: bucket, count, bucket, count …; see `heatShift`. */
  readonly heat: readonly number[];
  readonly servers: readonly (readonly number[])[];
}

/** Buckets of `heat` are those of base/histogram shifted by this: four to an octave. */
export const heatShift = 3;

/** Places in a listener's list. Those in the span end in `_NOW`; others are totals or present values. */
export const ListenerFigure = {
  LINKS: 0,
  ACCEPTED: 1,
  REQUESTS: 2,
  REQUESTS_NOW: 3,
  S1XX_NOW: 4,
  S2XX_NOW: 5,
  S3XX_NOW: 6,
  S4XX_NOW: 7,
  S5XX_NOW: 8,
  ABORTED_NOW: 9,
  BYTES_IN_NOW: 10,
  BYTES_OUT_NOW: 11,
} as const;

/** Places in a route's list. */
export const RouteFigure = {
  REQUESTS: 0,
  REQUESTS_NOW: 1,
  FAILED_NOW: 2,
  BYTES_OUT_NOW: 3,
} as const;

/** Places in a pool's list. Latencies in µs, -1 where nothing ended in the span. */
export const PoolFigure = {
  REQUESTS: 0,
  /** Per second over ten seconds, as `status` has it. */
  RATE: 1,
  QUEUED: 2,
  RETRIES: 3,
  REQUESTS_NOW: 4,
  FAILED_NOW: 5,
  RETRIES_NOW: 6,
  P50_US: 7,
  P90_US: 8,
  P99_US: 9,
} as const;

/** Places in a server's list. Latencies as a pool's. */
export const ServerFigure = {
  IN_FLIGHT: 0,
  REQUESTS: 1,
  /** Per second over ten seconds, as `status` has it. */
  RATE: 2,
  ERRORS: 3,
  REQUESTS_NOW: 4,
  ERRORS_NOW: 5,
  P50_US: 6,
  P99_US: 7,
} as const;

/** What happened to the balancer, not to one exchange. */
export interface LiveEvent {
  /** Grows by one with each event of the process. */
  readonly id: number;
  readonly atMs: number;
  readonly kind: EventKind;
  readonly level: 'info' | 'warn' | 'error';
  readonly pool: string | null;
  readonly server: string | null;
  readonly text: string;
}

/**
 * `health`: a verdict of probes; `ejection`: a decision by traffic; `drain`; `pool`: panic and circuit
 * breaker; `operator`: weights, servers added and removed; `reload`; `process`: start, worker, upgrade.
 */
export type EventKind =
  | 'health'
  | 'ejection'
  | 'drain'
  | 'pool'
  | 'operator'
  | 'reload'
  | 'process';

/** Which ended exchanges somebody wants to see; null and 0 ask for nothing. */
export interface TailFilter {
  readonly statusMin: number;
  readonly statusMax: number;
  /** Only those with a reason other than `ok`. */
  readonly isFailedOnly: boolean;
  readonly pool: string | null;
  readonly route: string | null;
  readonly server: string | null;
  /** Only those that took at least so long, ms. */
  readonly slowMs: number;
  /** Must stand in method, host or path. */
  readonly text: string | null;
}

/** An ended exchange as `/v1/tail` gives it: the default access-log line. */
export interface TailLine {
  readonly time: string;
  readonly id: string;
  readonly client: string;
  readonly listener: string;
  readonly method: string | null;
  readonly host: string | null;
  readonly path: string | null;
  readonly status: number;
  readonly bytesIn: number;
  readonly bytes: number;
  readonly totalMs: number | null;
  readonly connectMs: number | null;
  readonly firstByteMs: number | null;
  readonly route: string | null;
  readonly pool: string | null;
  readonly server: string | null;
  readonly attempts: number;
  readonly reason: string;
}

/** Lines that one worker sends to those who look, per filter and second: more than anyone can read. */
export const tailLinesPerSecond = 50;
