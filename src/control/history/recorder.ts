import { bucketMid, histogramBuckets } from '../../base/histogram.ts';
import {
  countedFigures,
  Figure,
  figureCount,
  historyTiers,
  type SeriesKey,
} from '../../model/history.ts';

/** What has been counted of one series so far, and how it is now. */
export interface Reading {
  readonly key: SeriesKey;
  /** What is counted, since ever, by `Figure`; a value below the one before means a new beginning. */
  readonly counts: ArrayLike<number>;
  readonly inFlight: number;
  /** Servers in traffic. */
  readonly up: number;
  /** Durations of exchanges in µs since ever, in buckets; null where nothing ended yet. */
  cells(): ArrayLike<number> | null;
}

/** One point in time of all series that have something to say. */
export interface RecordedRow {
  /** Index into `historyTiers`. */
  readonly tier: number;
  readonly atMs: number;
  readonly spanMs: number;
  readonly keys: readonly SeriesKey[];
  /** `figureCount` for each of `keys`. */
  readonly figures: Float64Array;
}

/** The window of one series in one tier. */
interface Window {
  /** Counts at its beginning. */
  readonly counts: Float64Array;
  /** Buckets at its beginning. */
  readonly cells: Uint32Array;
  inFlightSum: number;
  inFlightMax: number;
  upSum: number;
  ticks: number;
}

interface Track {
  readonly key: SeriesKey;
  readonly windows: readonly Window[];
  /** Counts and buckets as last seen. */
  readonly counts: Float64Array;
  readonly cells: Uint32Array;
  isSeen: boolean;
}

/** A clock that was set back so far begins anew; less is waited for. */
const BACK_MS = 2_000;

/**
 * Makes points of all tiers out of readings, one reading a second. Memory: 15 KiB a series. Cost of
 * a tick: one walk over the buckets of each series that had traffic, four at the end of its windows.
 */
export class HistoryRecorder {
  readonly #tracks = new Map<string, Track>();
  /** When the open window of each tier began. */
  readonly #begunMs: number[] = historyTiers.map(() => 0);
  #lastMs = 0;

  /**
   * Takes a reading of all series at a time; gives the rows of windows that end with it, finest
   * first. The first reading of a series is its zero.
   */
  tick(atMs: number, readings: readonly Reading[]): RecordedRow[] {
    const isBack = atMs < this.#lastMs - BACK_MS;
    if (this.#lastMs === 0 || isBack) this.#begunMs.fill(atMs);
    // Two ticks in one second: the later one waits for the next.
    else if (atMs < this.#lastMs + 500) return [];
    const lastMs = isBack ? 0 : this.#lastMs;
    this.#lastMs = atMs;
    for (const track of this.#tracks.values()) track.isSeen = false;
    for (const reading of readings) this.#take(reading);
    for (const [id, track] of this.#tracks) if (!track.isSeen) this.#tracks.delete(id);
    if (lastMs === 0) return [];
    const rows: RecordedRow[] = [];
    historyTiers.forEach(({ stepMs }, tier) => {
      // Aligned to the clock, so that points of different balancers and days meet.
      if (Math.floor(lastMs / stepMs) !== Math.floor(atMs / stepMs)) {
        rows.push(this.#close(tier, atMs));
      }
    });
    return rows;
  }

  /** The open windows as they are, for the end of the process; the finest has none. */
  flush(): RecordedRow[] {
    const open = [1, 2].filter((tier) => this.#begunMs[tier]! < this.#lastMs);
    return open.map((tier) => this.#close(tier, this.#lastMs));
  }

  /** Counters have jumped: what they show now is the zero of what follows. */
  restart(): void {
    this.#tracks.clear();
  }

  #take(reading: Reading): void {
    const { key, counts, inFlight, up } = reading;
    const id = `${key.kind}\n${key.pool}\n${key.name}`;
    const known = this.#tracks.get(id);
    const track = known ?? newTrack(key);
    const hasEnded = counts[Figure.REQUESTS] !== track.counts[Figure.REQUESTS];
    let isAnew = known === undefined;
    for (let i = 0; i < countedFigures; i++) {
      if (counts[i]! < track.counts[i]!) isAnew = true;
      track.counts[i] = counts[i]!;
    }
    const cells = hasEnded || isAnew ? reading.cells() : null;
    if (cells !== null) track.cells.set(cells);
    track.isSeen = true;
    if (known === undefined) this.#tracks.set(id, track);
    for (const window of track.windows) {
      if (isAnew) begin(window, track);
      window.inFlightSum += inFlight;
      window.inFlightMax = Math.max(window.inFlightMax, inFlight);
      window.upSum += up;
      window.ticks += 1;
    }
  }

  #close(tier: number, atMs: number): RecordedRow {
    const spanMs = Math.max(1, atMs - this.#begunMs[tier]!);
    this.#begunMs[tier] = atMs;
    const keys: SeriesKey[] = [];
    const figures = new Float64Array(this.#tracks.size * figureCount);
    for (const track of this.#tracks.values()) {
      const window = track.windows[tier]!;
      if (window.ticks > 0 && write(figures, keys.length * figureCount, track, window)) {
        keys.push(track.key);
      }
      begin(window, track);
    }
    return { tier, atMs, spanMs, keys, figures: figures.slice(0, keys.length * figureCount) };
  }
}

function newTrack(key: SeriesKey): Track {
  const windows = historyTiers.map(() => ({
    counts: new Float64Array(countedFigures),
    cells: new Uint32Array(histogramBuckets),
    inFlightSum: 0,
    inFlightMax: 0,
    upSum: 0,
    ticks: 0,
  }));
  const counts = new Float64Array(countedFigures);
  return { key, windows, counts, cells: new Uint32Array(histogramBuckets), isSeen: true };
}

function begin(window: Window, track: Track): void {
  if (window.counts[Figure.REQUESTS] !== track.counts[Figure.REQUESTS] || window.ticks === 0) {
    window.cells.set(track.cells);
  }
  window.counts.set(track.counts);
  window.inFlightSum = 0;
  window.inFlightMax = 0;
  window.upSum = 0;
  window.ticks = 0;
}

const difference = new Uint32Array(histogramBuckets);

/** False for a series that rested and was not in traffic. */
function write(figures: Float64Array, start: number, track: Track, window: Window): boolean {
  let hasAny = false;
  for (let i = 0; i < countedFigures; i++) {
    const grown = track.counts[i]! - window.counts[i]!;
    figures[start + i] = grown;
    if (grown > 0) hasAny = true;
  }
  figures[start + Figure.IN_FLIGHT] = (window.inFlightSum / window.ticks) * 1_000;
  figures[start + Figure.IN_FLIGHT_MAX] = window.inFlightMax;
  figures[start + Figure.UP] = (window.upSum / window.ticks) * 1_000;
  if (figures[start + Figure.REQUESTS]! > 0) writePercentiles(figures, start, track, window);
  return hasAny || window.inFlightMax > 0 || window.upSum > 0;
}

/** Percentiles and the sum of durations, of what the window added to the buckets. */
function writePercentiles(
  figures: Float64Array,
  start: number,
  track: Track,
  window: Window,
): void {
  let count = 0;
  let sumUs = 0;
  for (let i = 0; i < histogramBuckets; i++) {
    // Unsigned: cells wrap after 2³² samples, and the difference of wrapped ones is still right.
    const grown = (track.cells[i]! - window.cells[i]!) >>> 0;
    difference[i] = grown;
    if (grown === 0) continue;
    count += grown;
    sumUs += grown * bucketMid(i);
  }
  figures[start + Figure.BUSY_US] = sumUs;
  let seen = 0;
  let next = 0;
  for (let i = 0; i < histogramBuckets && next < percentiles.length; i++) {
    if (difference[i] === 0) continue;
    seen += difference[i]!;
    // As `quantile` has it, all three in one walk.
    while (
      next < percentiles.length &&
      seen >= Math.max(1, Math.ceil(percentiles[next]! * count))
    ) {
      figures[start + Figure.P50_US + next] = bucketMid(i);
      next += 1;
    }
  }
}

const percentiles = [0.5, 0.9, 0.99];
