/** Whose figures a series holds. */
export type SeriesKind = 'route' | 'pool' | 'server';

/** One series. `pool` is '' but for servers, whose `name` is their address. */
export interface SeriesKey {
  readonly kind: SeriesKind;
  readonly pool: string;
  readonly name: string;
}

/**
 * What a point of a series says, by index. Counts are of the point's interval; all are whole numbers
 * from 0, so that a point is a few bytes.
 */
export const Figure = {
  /** Exchanges that ended. */
  REQUESTS: 0,
  /** Of these, answers 5xx; of a server, attempts that speak against it. */
  ERRORS: 1,
  BYTES_IN: 2,
  BYTES_OUT: 3,
  /** All their durations together, µs: over the interval, this is the mean concurrency (Little). */
  BUSY_US: 4,
  /** Waits in a pool's queue. */
  WAITS: 5,
  /** Attempts repeated at the cost of the retry budget. */
  RETRIES: 6,
  /** Exchanges for which no server could be had. */
  REFUSED: 7,
  /** Mean of what was in flight, in thousandths. */
  IN_FLIGHT: 8,
  /** The highest of it, seen once a second. */
  IN_FLIGHT_MAX: 9,
  /** Servers in traffic, in thousandths: of a server, the share of the time. */
  UP: 10,
  P50_US: 11,
  P90_US: 12,
  P99_US: 13,
} as const;

/** Figures of a point. */
export const figureCount = 14;

/** Those that are counted, from the first on; what follows is measured. */
export const countedFigures = 8;

/** Names of the figures outside, by index. */
export const figureNames: readonly string[] = [
  'requests',
  'errors',
  'bytesIn',
  'bytesOut',
  'busyUs',
  'waits',
  'retries',
  'refused',
  'inFlightMilli',
  'inFlightMax',
  'upMilli',
  'p50Us',
  'p90Us',
  'p99Us',
];

/** One point of one series. */
export interface HistoryPoint {
  /** Its end, ms of the epoch. */
  readonly atMs: number;
  /** Its length, ms. */
  readonly spanMs: number;
  /** By `Figure`. */
  readonly figures: ArrayLike<number>;
}

/** A series with its points, oldest first. */
export interface HistorySeries {
  readonly key: SeriesKey;
  readonly points: readonly HistoryPoint[];
}

/** One resolution that history is kept at. */
export interface HistoryTier {
  readonly name: '1s' | '10s' | '5m';
  readonly stepMs: number;
  readonly keptMs: number;
}

/** The resolutions, finest first. */
export const historyTiers: readonly [HistoryTier, HistoryTier, HistoryTier] = [
  { name: '1s', stepMs: 1_000, keptMs: 3_600_000 },
  { name: '10s', stepMs: 10_000, keptMs: 86_400_000 },
  { name: '5m', stepMs: 300_000, keptMs: 60 * 86_400_000 },
];
